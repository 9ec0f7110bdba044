package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
	"github.com/ttlchat/ttlchat/internal/appclient"
	"github.com/ttlchat/ttlchat/internal/command"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// serveChatAddress is where serve has the chat service unless it is told otherwise.
const serveChatAddress = "http://127.0.0.1:8081"

// appTokenLife is how long the app tokens of these commands live; they need them for seconds.
const appTokenLife = 10 * time.Minute

// userAdmin are the flags of the users commands.
type userAdmin struct {
	*options
	restURL, tokenURL string
	shape             shapeFlags
	passwordVariable  string
	limit             int
	asJSON            bool
	stdout            io.Writer
}

// newUsers is the administration of users through the REST API.
func newUsers(o *options) *cobra.Command {
	u := &userAdmin{options: o}
	users := &cobra.Command{
		Use:   "users",
		Short: "Register, list and delete the users of a chat service",
		Long:  `Call the REST API as an app's server does: get an app token, trade it for a Chat app token, and call with that. It works against a running ttlchat serve and against the real service. The app token comes from the token server's address for app tokens; with --app-id and --app-certificate, and without --token-url, it is built here.`,
		Example: `
ttlchat users add alice bob
ttlchat users list --json
export AGORA_APP_ID=… AGORA_APP_CERTIFICATE=…
ttlchat users status alice --rest-url https://a41.chat.agora.io --app-key 41434878#504205`,
		Args: words(),
		RunE: wantsSubcommand,
	}
	flags := users.PersistentFlags()
	u.appKeyFlag(flags)
	u.credentialFlags(flags, "the token server is asked")
	flags.StringVar(&u.restURL, "rest-url", serveChatAddress, "chat service: REST address without org and app")
	flags.StringVar(&u.tokenURL, "token-url", "", "token server: address to ask for app tokens; a host alone gets the preset's path ("+serveTokenAddress+")")
	flags.BoolVar(&u.asJSON, "json", false, "print one JSON object a line")
	u.shape.register(flags, tokenclient.AppPresets())
	add := u.command("add NAME…", "Register users; their password is random unless a variable holds one", u.add)
	add.Flags().StringVar(&u.passwordVariable, "password-env", defaultPasswordVariable, "variable that holds the password of the new users")
	list := u.command("list", "List users", u.list)
	list.Flags().IntVar(&u.limit, "limit", 100, "how many users to list at most")
	users.AddCommand(add, list,
		u.command("delete NAME…", "Delete users; who is logged in is thrown out", u.delete),
		u.command("status NAME…", "Tell whether users are online", u.status))
	return users
}

// command makes one of the subcommands. All but list want names.
func (u *userAdmin) command(use, short string, do func(context.Context, *appclient.Client, []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short,
		Args: func(cmd *cobra.Command, args []string) error {
			if cmd.Name() == "list" {
				return noArgs(cmd, args)
			}
			if len(args) == 0 {
				return usage("%s wants one or more names", cmd.CommandPath())
			}
			for _, name := range args {
				if err := command.ValidUser(name); err != nil {
					return usageError{err}
				}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			u.stdout = cmd.OutOrStdout()
			client, closeAll, err := u.client()
			if err != nil {
				return err
			}
			defer closeAll()
			return do(cmd.Context(), client, args)
		},
	}
}

func (u *userAdmin) client() (client *appclient.Client, closeAll func(), err error) {
	org, app, err := u.splitAppKey()
	if err != nil {
		return nil, nil, err
	}
	appToken, closeTokens, err := u.appToken()
	if err != nil {
		return nil, nil, err
	}
	client, err = appclient.New(appclient.Config{RESTURL: u.restURL, Org: org, App: app, AppToken: appToken})
	if err != nil {
		closeTokens()
		return nil, nil, usageError{err}
	}
	return client, func() { client.Close(); closeTokens() }, nil
}

// appToken returns where app tokens come from: the certificate, or a token server.
func (u *userAdmin) appToken() (get func(context.Context) (string, error), closeTokens func(), err error) {
	if u.appCertificate != "" && u.tokenURL == "" {
		project := agoratoken.Credentials{AppID: u.appID, Certificate: agoratoken.Certificate(u.appCertificate)}
		if err := project.Validate(); err != nil {
			return nil, nil, usageError{err}
		}
		return func(context.Context) (string, error) {
			return agoratoken.BuildApp(project, uint32(appTokenLife/time.Second), time.Now())
		}, func() {}, nil
	}
	shape, password, err := u.shape.load(tokenclient.AppPreset, tokenclient.AppPresets())
	if err != nil {
		return nil, nil, err
	}
	server, err := tokenclient.New(tokenclient.Config{URL: cmp.Or(u.tokenURL, serveTokenAddress), Shape: shape, Password: password})
	if err != nil {
		return nil, nil, usageError{err}
	}
	return func(ctx context.Context) (string, error) {
		x, err := server.Exchange(ctx, tokenclient.Request{Lifetime: appTokenLife})
		return x.Token.Reveal(), err
	}, server.Close, nil
}

// defaultPasswordVariable may be missing: then passwords are made up.
const defaultPasswordVariable = "TTLCHAT_USER_PASSWORD" //nolint:gosec // the name of a variable

// userLine is one user as users --json prints it. The names are a contract.
type userLine struct {
	User      string `json:"user"`
	Result    string `json:"result,omitempty"`
	Status    string `json:"status,omitempty"`
	UUID      string `json:"uuid,omitempty"`
	Nickname  string `json:"nickname,omitempty"`
	CreatedAt string `json:"created_at,omitempty"`
	Activated *bool  `json:"activated,omitempty"`
	Error     string `json:"error,omitempty"`
}

func (u *userAdmin) tell(l userLine) error {
	if u.asJSON {
		return writeJSON(u.stdout, l)
	}
	text := cmp.Or(l.Result, l.Status)
	switch {
	case l.Error != "":
		text += ": " + l.Error
	case l.UUID != "":
		text = fmt.Sprintf("%-8s %s  %s", text, l.UUID, l.Nickname)
	}
	if l.Activated != nil && !*l.Activated {
		text += " (deactivated)"
	}
	_, err := fmt.Fprintf(u.stdout, "%-20s %s\n", l.User, text)
	return err
}

func (u *userAdmin) tellUser(result string, user appclient.User) error {
	return u.tell(userLine{
		User: user.Name, Result: result, UUID: user.UUID, Nickname: user.Nickname, CreatedAt: stamp(user.CreatedAt), Activated: &user.Activated,
	})
}

// errSomeFailed is the exit code when some users could be dealt with and others not; the reasons have been printed.
var errSomeFailed = errors.New("not all users could be dealt with")

// each does something for every user. A refusal of one is told and does not stop the others.
func (u *userAdmin) each(names []string, do func(name string) (userLine, error)) error {
	var failed error
	for _, name := range names {
		line, err := do(name)
		if e, ok := errors.AsType[*appclient.Error](err); ok && e.Phase == appclient.PhaseCall && (e.Status == 400 || e.Status == 404) {
			failed = errSomeFailed
			line = userLine{User: name, Result: "failed", Error: e.Detail}
		} else if err != nil {
			return err
		}
		if err := u.tell(line); err != nil {
			return err
		}
	}
	return failed
}

func (u *userAdmin) add(ctx context.Context, c *appclient.Client, names []string) error {
	password, there := os.LookupEnv(u.passwordVariable)
	if !there && u.passwordVariable != defaultPasswordVariable {
		return usage("%s: the variable %s is not set", setting("password-env"), u.passwordVariable)
	}
	var list []appclient.NewUser
	for _, name := range names {
		list = append(list, appclient.NewUser{Name: name, Password: cmp.Or(password, rand.Text())})
	}
	added, failed, err := c.AddUsers(ctx, list...)
	for _, user := range added {
		if err := u.tellUser("added", user); err != nil {
			return err
		}
	}
	for _, f := range failed {
		if err := u.tell(userLine{User: f.Name, Result: "failed", Error: f.Reason}); err != nil {
			return err
		}
	}
	if err == nil && len(failed) > 0 {
		err = errSomeFailed
	}
	return err
}

func (u *userAdmin) list(ctx context.Context, c *appclient.Client, _ []string) error {
	if u.limit < 1 {
		return usage("%s: want 1 or more", setting("limit"))
	}
	all, _, err := c.Users(ctx, u.limit)
	for _, user := range all {
		if err := u.tellUser("", user); err != nil {
			return err
		}
	}
	return err
}

func (u *userAdmin) delete(ctx context.Context, c *appclient.Client, names []string) error {
	return u.each(names, func(name string) (userLine, error) {
		return userLine{User: name, Result: "deleted"}, c.DeleteUser(ctx, name)
	})
}

func (u *userAdmin) status(ctx context.Context, c *appclient.Client, names []string) error {
	return u.each(names, func(name string) (userLine, error) {
		online, err := c.Online(ctx, name)
		return userLine{User: name, Status: map[bool]string{true: "online", false: "offline"}[online]}, err
	})
}
