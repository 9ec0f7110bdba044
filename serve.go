package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// newServe is the emulator alone.
func newServe(o *options) *cobra.Command {
	var chatAddress, tokenAddress string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the emulator alone, for an app under test",
		Long: `Run the emulator of the Agora Chat service and a token server, until SIGINT or SIGTERM. Point an app's SDK at the addresses that it
prints. What happens is printed as it happens; with --json as one JSON object a line, of which the first says where everything is.
Whatever the emulator knows is gone when it ends.`,
		Example: `
# on the ports that the official examples use
ttlchat serve

# on free ports, for a script
ttlchat serve --listen 127.0.0.1:0 --token-listen 127.0.0.1:0 --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.fromEnvironment(cmd); err != nil {
				return err
			}
			return runServe(cmd.Context(), o, chatAddress, tokenAddress, asJSON, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&chatAddress, "listen", "127.0.0.1:8081", "`address` of the chat service; port 0 chooses one")
	cmd.Flags().StringVar(&tokenAddress, "token-listen", "127.0.0.1:8080", "`address` of the token server; port 0 chooses one")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one object a line; the first one says where everything is")
	o.emulatorFlags(cmd.Flags())
	completeWords(cmd, map[string][]string{"over-24h": {"cap", "refuse"}, "expired-status": {"reason", "enum"}})
	return cmd
}

// ready is the first line of serve --json. The names are a contract.
type ready struct {
	Event      string `json:"event"`
	RESTURL    string `json:"rest_url"`
	WSURL      string `json:"ws_url"`
	TokenURL   string `json:"token_url"`
	ControlURL string `json:"control_url"`
	AppID      string `json:"app_id"`
	Org        string `json:"org"`
	App        string `json:"app"`
}

func runServe(ctx context.Context, o *options, chatAddress, tokenAddress string, asJSON bool, stdout io.Writer) error {
	log, closeLog, err := o.openLog()
	if err != nil {
		return err
	}
	defer closeLog.Close()
	server, err := o.newEmulator(log)
	if err != nil {
		return err
	}
	chatListener, err := listen(chatAddress)
	if err != nil {
		return err
	}
	defer chatListener.Close()
	tokenListener, err := listen(tokenAddress)
	if err != nil {
		return err
	}
	defer tokenListener.Close()
	org, app, err := o.splitAppKey()
	if err != nil {
		return err
	}
	chatHost := reachable(chatListener.Addr())
	at := ready{
		Event: "ready", RESTURL: "http://" + chatHost, WSURL: "ws://" + chatHost + "/websocket",
		TokenURL:   "http://" + reachable(tokenListener.Addr()) + "/generate-user-token",
		ControlURL: "http://" + chatHost + "/_ctl/v1", AppID: orElse(o.appID, fakeserver.DemoAppID), Org: org, App: app,
	}
	if asJSON {
		err = writeJSON(stdout, at)
	} else {
		err = greet(stdout, at, chatListener.Addr())
	}
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(chatListener, tokenListener) }()
	// The printer ends with the journal. Nobody waits for it: a reader that has stopped reading must not hold up the end.
	go tell(server, stdout, asJSON, log)
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	closing, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	if err := server.Close(closing); err != nil {
		log.Warn("the emulator was cut short", "error", err)
	}
	return <-served
}

// reachable is an address that a client on this machine can use, also when the listener takes every interface.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

func greet(w io.Writer, at ready, chat net.Addr) error {
	_, err := fmt.Fprintf(w, `Agora Chat emulator, app key %s#%s, App ID %s
  REST          %s
  WebSocket     %s
  token server  %s

Try it:  ttlchat --rest-url %s --ws-url %s --token-url %s
Ctrl+C ends it. What happens:
`, at.Org, at.App, at.AppID, at.RESTURL, at.WSURL, at.TokenURL, at.RESTURL, at.WSURL, at.TokenURL)
	if err == nil && !isLoopback(chat) {
		_, err = fmt.Fprintln(w, "This is reachable from other machines. Everybody there can log in.")
	}
	return err
}

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// entryLine is a journal entry as serve --json prints it.
type entryLine struct {
	At           string `json:"at"`
	Seq          uint64 `json:"seq"`
	Event        string `json:"event"`
	User         string `json:"user,omitempty"`
	Device       string `json:"device,omitempty"`
	Session      string `json:"session,omitempty"`
	Method       string `json:"method,omitempty"`
	Path         string `json:"path,omitempty"`
	Status       int    `json:"status,omitempty"`
	Code         int    `json:"code,omitempty"`
	Reason       string `json:"reason,omitempty"`
	Token        string `json:"token,omitempty"`
	ExpiresAt    string `json:"expires_at,omitempty"`
	WillExpireAt string `json:"will_expire_at,omitempty"`
	MessageID    string `json:"message_id,omitempty"`
	From         string `json:"from,omitempty"`
	To           string `json:"to,omitempty"`
	Frame        string `json:"frame,omitempty"`
}

// tell prints the journal as it grows, frames only in JSON: a person would drown in heartbeats.
func tell(server *fakeserver.Server, w io.Writer, asJSON bool, log *slog.Logger) {
	journal := server.Journal(0)
	for {
		entries, err := journal.Next(context.Background()) // ends with the emulator
		if err != nil {
			return
		}
		for _, e := range entries {
			if err := tellOne(w, e, asJSON); err != nil {
				log.Warn("the journal cannot be printed any more", "error", err)
				return
			}
		}
	}
}

func tellOne(w io.Writer, e fakeserver.Entry, asJSON bool) error {
	if asJSON {
		return writeJSON(w, entryLine{
			At: stamp(e.At), Seq: e.Seq, Event: string(e.Name), User: e.User, Device: e.Device, Session: e.Session, Method: e.Method, Path: e.Path,
			Status: e.Status, Code: e.Code, Reason: e.Reason, Token: e.Token, ExpiresAt: stamp(e.ExpiresAt), WillExpireAt: stamp(e.WillExpireAt),
			MessageID: e.MessageID, From: e.From, To: e.To, Frame: e.Frame,
		})
	}
	if e.Name == fakeserver.FrameIn || e.Name == fakeserver.FrameOut {
		return nil
	}
	_, err := fmt.Fprintln(w, printable.Line(fmt.Sprintf("%s  %-20s %-12s %s", e.At.Local().Format(time.TimeOnly), e.Name, e.User, e.Summary()), 300))
	return err
}
