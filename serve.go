package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/printable"
)

// newServe is the emulator alone.
func newServe(o *options) *cobra.Command {
	var at serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the emulator alone, for an app under test",
		Long:  `Run the emulator of the Agora Chat service and a token server, until SIGINT or SIGTERM. Point an app's SDK at the addresses that it prints. What happens is printed as it happens; with --json as one JSON object a line, of which the first says where everything is. Whatever the emulator knows is gone when it ends.`,
		Example: `
# on the ports that the official examples use
ttlchat serve

# on free ports, for a script
ttlchat serve --listen 127.0.0.1:0 --token-listen 127.0.0.1:0 --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.readProperties(cmd.Flags()); err != nil {
				return err
			}
			return runServe(cmd.Context(), o, at, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&at.chatAddress, "listen", "127.0.0.1:8081", "address of the chat service; port 0 chooses one")
	cmd.Flags().StringVar(&at.tokenAddress, "token-listen", "127.0.0.1:8080", "address of the token server; port 0 chooses one")
	cmd.Flags().BoolVar(&at.asJSON, "json", false, "print JSON, one object a line; the first one says where everything is")
	cmd.Flags().StringVar(&at.tls.certFile, "tls-cert", "", "speak TLS with the certificate in this PEM file")
	cmd.Flags().StringVar(&at.tls.keyFile, "tls-key", "", "private key of --tls-cert, a PEM file")
	cmd.Flags().BoolVar(&at.tls.selfSigned, "tls-self-signed", false, "speak TLS with a certificate made for this run; it is printed with --json")
	cmd.Flags().StringVar(&o.webSDK, "web-sdk", "", "bundle of the official Web SDK (Agora-chat.js of npm agora-chat), for the page at /demo/")
	cmd.Flags().StringVar(&o.controlToken, "control-token", "", "what callers of the control API must present; needed where other machines can reach --listen, better set in the environment")
	o.emulatorFlags(cmd.Flags())
	completeWords(cmd, map[string][]string{
		"over-24h": over24hWords, "expired-status": expiredStatusWords, "enforce-expiry": enforceWords,
	})
	return cmd
}

// isPort reports whether a text is the number of a port.
func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

// serveOptions are the flags that serve has for itself.
type serveOptions struct {
	chatAddress, tokenAddress string
	asJSON                    bool
	tls                       transportSecurity
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
	// Certificate is the one that --tls-self-signed made, in PEM, for clients to trust.
	Certificate string `json:"tls_certificate,omitempty"`
}

func runServe(ctx context.Context, o *options, flags serveOptions, stdout io.Writer) error {
	certificate, madePEM, err := flags.tls.load()
	if err != nil {
		return err
	}
	log, closeLog, err := o.openLog()
	if err != nil {
		return err
	}
	defer closeLog.Close()
	if o.webSDK != "" {
		if info, err := os.Stat(o.webSDK); err != nil {
			return usage("%s: %w", setting("web-sdk"), err)
		} else if !info.Mode().IsRegular() {
			return usage("%s: %s is no file; it wants the bundle, Agora-chat.js", setting("web-sdk"), o.webSDK)
		}
	}
	for flag, address := range map[string]string{"listen": flags.chatAddress, "token-listen": flags.tokenAddress} {
		if _, port, err := net.SplitHostPort(address); err != nil || !isPort(port) {
			return usage("%s: %q is no address to listen on; want one such as 127.0.0.1:8081", setting(flag), address)
		}
	}
	server, err := o.newEmulator(log, 0)
	if err != nil {
		return err
	}
	chatListener, err := listen(flags.chatAddress)
	if err != nil {
		return fmt.Errorf("%w; %s names another address", err, setting("listen"))
	}
	defer chatListener.Close()
	tokenListener, err := listen(flags.tokenAddress)
	if err != nil {
		return fmt.Errorf("%w; %s names another address", err, setting("token-listen"))
	}
	defer tokenListener.Close()
	org, app, err := o.splitAppKey()
	if err != nil {
		return err
	}
	chatHost := reachable(chatListener.Addr())
	s := ""
	if certificate != nil {
		s = "s"
	}
	at := ready{
		Event: "ready", RESTURL: "http" + s + "://" + chatHost, WSURL: "ws" + s + "://" + chatHost + "/websocket",
		TokenURL:   "http" + s + "://" + reachable(tokenListener.Addr()) + "/generate-user-token",
		ControlURL: "http" + s + "://" + chatHost + "/_ctl/v1", AppID: orElse(o.appID, fakeserver.DemoAppID), Org: org, App: app,
		Certificate: madePEM,
	}
	if flags.asJSON {
		err = writeJSON(stdout, at)
	} else {
		err = greet(stdout, at, chatListener.Addr(), server.ControlEnabled(chatListener.Addr()))
	}
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(secure(chatListener, certificate), secure(tokenListener, certificate)) }()
	// The printer ends with the journal. Nobody waits for it: a reader that has stopped reading must not hold up the end.
	go tell(server, stdout, flags.asJSON, log) //nolint:gosec // it ends with the journal, not with the request to stop
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

func greet(w io.Writer, at ready, chat net.Addr, control bool) error {
	controlURL, warning := at.ControlURL, ""
	if !control {
		controlURL = "off, because other machines can reach it: set --control-token, or listen on 127.0.0.1"
	}
	if !isLoopback(chat) {
		warning = "\nThis is reachable from other machines. Everybody there can log in.\n"
	}
	_, err := fmt.Fprintf(w, `Agora Chat emulator, app key %s#%s, App ID %s
  REST          %s
  WebSocket     %s
  token server  %s
  demo page     %s/demo/
  control API   %s
%s
Try it:  ttlchat --rest-url %s --ws-url %s --token-url %s
Ctrl+C ends it. What happens:
`, at.Org, at.App, at.AppID, at.RESTURL, at.WSURL, at.TokenURL, at.RESTURL, controlURL, warning, at.RESTURL, at.WSURL, at.TokenURL)
	return err
}

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
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
		return writeJSON(w, e)
	}
	if e.Name == fakeserver.FrameIn || e.Name == fakeserver.FrameOut {
		return nil
	}
	_, err := fmt.Fprintln(w, entryText(e))
	return err
}

// entryText is a journal entry for a person, on one line.
func entryText(e fakeserver.Entry) string {
	return printable.Line(fmt.Sprintf("%s  %-20s %-12s %s", e.At.Local().Format(time.TimeOnly), e.Name, e.User, e.Summary()), 300)
}
