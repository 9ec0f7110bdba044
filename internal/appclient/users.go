package appclient

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/ttlchat/ttlchat/internal/pattern"
)

// The most that one call may carry (token-lifecycle.md section 3).
const (
	maxRegistrations = 60
	maxPage          = 100
)

// legalName is what the service allows; no other text may become part of an address.
var legalName = pattern.New(`^[a-z0-9_.-]{1,64}$`)

func checkName(name string) error {
	if !legalName().MatchString(name) || name == "." || name == ".." {
		return &Error{Phase: PhaseConfig, Detail: fmt.Sprintf("%q is no user name; names have 1 to 64 of a-z, 0-9, _ - .", show(name))}
	}
	return nil
}

// NewUser is a user to register.
type NewUser struct {
	Name     string `json:"username"`
	Password string `json:"password"`
	Nickname string `json:"nickname,omitempty"`
}

// User is a registered user.
type User struct {
	Name      string
	UUID      string
	Nickname  string
	CreatedAt time.Time
	Activated bool
}

// Failure is a user that could not be registered among others that were.
type Failure struct{ Name, Reason string }

// entity is a user as the service writes it.
type entity struct {
	UUID      string `json:"uuid"`
	Created   int64  `json:"created"` // Unix ms
	Name      string `json:"username"`
	Nickname  string `json:"nickname"`
	Activated bool   `json:"activated"`
}

func (e entity) user() User {
	return User{
		Name: name(e.Name), UUID: name(e.UUID), Nickname: name(e.Nickname), CreatedAt: time.UnixMilli(e.Created), Activated: e.Activated,
	}
}

func users(entities []entity) []User {
	var all []User
	for _, e := range entities {
		all = append(all, e.user())
	}
	return all
}

// AddUsers registers users. One alone fails with an error. Of several some may fail; the error then is about the call itself.
func (c *Client) AddUsers(ctx context.Context, list ...NewUser) (added []User, failed []Failure, err error) {
	if len(list) == 1 {
		var answer struct{ Entities []entity }
		err := c.call(ctx, http.MethodPost, "users", list[0], &answer)
		return users(answer.Entities), nil, err
	}
	for batch := range slices.Chunk(list, maxRegistrations) {
		var answer struct {
			Entities []entity
			Data     []struct {
				Username string
				Reason   string `json:"registerUserFailReason"`
			}
		}
		if err := c.call(ctx, http.MethodPost, "users", batch, &answer); err != nil {
			return added, failed, err
		}
		added = append(added, users(answer.Entities)...)
		for _, f := range answer.Data {
			failed = append(failed, Failure{Name: name(f.Username), Reason: show(f.Reason)})
		}
	}
	return added, failed, nil
}

// Users returns at most limit users, in the service's order, and whether there are more.
func (c *Client) Users(ctx context.Context, limit int) (all []User, more bool, err error) {
	cursor := ""
	for len(all) < limit {
		query := url.Values{"limit": {fmt.Sprint(min(limit-len(all), maxPage))}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		var answer struct {
			Entities []entity
			Cursor   string
		}
		if err := c.call(ctx, http.MethodGet, "users?"+query.Encode(), nil, &answer); err != nil {
			return all, false, err
		}
		all = append(all, users(answer.Entities)...)
		if answer.Cursor == "" || answer.Cursor == cursor || len(answer.Entities) == 0 {
			return all[:min(limit, len(all))], false, nil
		}
		cursor = answer.Cursor
	}
	return all[:limit], true, nil
}

// DeleteUser removes a user; the devices that are logged in are kicked.
func (c *Client) DeleteUser(ctx context.Context, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return c.call(ctx, http.MethodDelete, "users/"+url.PathEscape(name), nil, new(struct{}))
}

// Online reports whether a user is logged in on any device.
func (c *Client) Online(ctx context.Context, name string) (bool, error) {
	if err := checkName(name); err != nil {
		return false, err
	}
	var answer struct{ Data map[string]string }
	if err := c.call(ctx, http.MethodGet, "users/"+url.PathEscape(name)+"/status", nil, &answer); err != nil {
		return false, err
	}
	switch answer.Data[name] {
	case "online":
		return true, nil
	case "offline":
		return false, nil
	}
	return false, &Error{Phase: PhaseCall, Status: http.StatusOK, Detail: "the service does not say whether the user is online; check the REST address"}
}
