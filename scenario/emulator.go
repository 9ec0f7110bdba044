package scenario

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/fakeserver/control"
)

// emulator is what a run needs of the emulator: the one of its own, or a running one that is reached through its control API.
type emulator interface {
	addFault(context.Context, fakeserver.Fault) (id string, err error)
	// clearFault lifts a fault. One that is gone already is as good as lifted.
	clearFault(ctx context.Context, id string) error
	trigger(ctx context.Context, event string, t fakeserver.TriggerRequest) (connections int, err error)
	jump(context.Context, time.Duration) error
	now(context.Context) (time.Time, error)
	// newest is the number of the journal's newest entry, 0 when there is none.
	newest(context.Context) (uint64, error)
	// follow passes on the journal after the entry of a number, without frames, until ctx or the emulator ends.
	follow(ctx context.Context, after uint64, each func(fakeserver.Entry)) error
}

// own is an emulator in this process.
type own struct{ server *fakeserver.Server }

func (o own) addFault(_ context.Context, f fakeserver.Fault) (string, error) {
	return o.server.AddFault(f)
}

func (o own) clearFault(_ context.Context, id string) error {
	o.server.ClearFault(id)
	return nil
}

func (o own) trigger(_ context.Context, event string, t fakeserver.TriggerRequest) (int, error) {
	return o.server.Trigger(event, t)
}

func (o own) jump(_ context.Context, d time.Duration) error {
	o.server.JumpClock(d)
	return nil
}

func (o own) now(context.Context) (time.Time, error) { return o.server.Now(), nil }

func (o own) newest(context.Context) (uint64, error) { return 0, nil } // it is followed from its start

func (o own) follow(ctx context.Context, after uint64, each func(fakeserver.Entry)) error {
	journal := o.server.Journal(after)
	for {
		entries, err := journal.Next(ctx)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.Name != fakeserver.FrameIn && e.Name != fakeserver.FrameOut {
				each(e)
			}
		}
	}
}

// remote is a running emulator.
type remote struct{ client *control.Client }

func (r remote) addFault(ctx context.Context, f fakeserver.Fault) (string, error) {
	status, err := r.client.AddFault(ctx, f)
	return status.ID, err
}

func (r remote) clearFault(ctx context.Context, id string) error {
	err := r.client.ClearFault(ctx, id)
	if refused, ok := errors.AsType[*fakeserver.ControlError](err); ok && refused.Status == http.StatusNotFound {
		return nil
	}
	return err
}

func (r remote) trigger(ctx context.Context, event string, t fakeserver.TriggerRequest) (int, error) {
	done, err := r.client.Trigger(ctx, event, t)
	return done.Connections, err
}

func (r remote) jump(ctx context.Context, d time.Duration) error {
	_, err := r.client.ChangeClock(ctx, fakeserver.ClockChange{Jump: d})
	return err
}

func (r remote) now(ctx context.Context) (time.Time, error) {
	c, err := r.client.Clock(ctx)
	return c.Now, err
}

func (r remote) newest(ctx context.Context) (uint64, error) {
	page, err := r.client.Journal(ctx, fakeserver.JournalQuery{Limit: 1})
	return page.Last, err
}

func (r remote) follow(ctx context.Context, after uint64, each func(fakeserver.Entry)) error {
	return r.client.Follow(ctx, fakeserver.JournalQuery{Since: &after}, func(e fakeserver.Entry) error {
		each(e)
		return nil
	}, nil)
}
