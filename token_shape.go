package main

import (
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ttlchat/ttlchat/tokenclient"
)

// maxShapeFile is more than tokenclient accepts, so that its error tells.
const maxShapeFile = 1 << 20

// shapeFlags say how a token server is spoken to.
type shapeFlags struct {
	preset, file, passwordVariable string
	headers                        []string
}

func (s *shapeFlags) register(f *pflag.FlagSet, presets []string) {
	f.StringVar(&s.preset, "token-preset", presets[0], "token server: which kind it is, one of "+strings.Join(presets, ", "))
	f.StringVar(&s.file, "token-shape", "", "token server: JSON file that describes another kind; see docs/token-servers.md")
	f.StringArrayVar(&s.headers, "token-header", nil, "token server: a header as NAME=VALUE; secrets as NAME=env:VARIABLE or NAME=cmd:PROGRAM ARGUMENT …")
	f.StringVar(&s.passwordVariable, "token-password-env", "TTLCHAT_TOKEN_PASSWORD", "token server: variable that holds the user's password, for the kinds that want one")
}

// standard reports whether nobody chose a kind of token server.
func (s *shapeFlags) standard() bool { return s.preset == tokenclient.Presets()[0] && s.file == "" }

// givesNoLife reports whether the emulator's token server gives no life to a token that is asked of it for none, in the way of this kind. Nobody
// knows that of a kind that a file describes.
func (s *shapeFlags) givesNoLife() bool {
	return slices.Contains([]string{"go", "java", "android"}, s.preset) && s.file == ""
}

// load returns the shape that the flags name and the password that it sends.
func (s *shapeFlags) load(preset func(string) (tokenclient.Shape, bool), presets []string) (tokenclient.Shape, tokenclient.Secret, error) {
	shape, ok := preset(s.preset)
	if !ok {
		return shape, "", usage("%s: there is no preset %q; use %s", setting("token-preset"), s.preset, strings.Join(presets, ", "))
	}
	if s.file != "" {
		var err error
		if shape, err = readShape(s.file); err != nil {
			return shape, "", usage("%s: %w", setting("token-shape"), err)
		}
	}
	for _, h := range s.headers {
		name, value, found := strings.Cut(h, "=")
		if !found || name == "" {
			return shape, "", usage("%s: want NAME=VALUE", setting("token-header"))
		}
		if shape.Header == nil {
			shape.Header = map[string]string{}
		}
		shape.Header[name] = value
	}
	password := os.Getenv(s.passwordVariable)
	if shape.NeedsPassword() && password == "" {
		return shape, "", usage("the token server's kind %s sends the user's password; put it into the variable %s, or name another one with --token-password-env",
			shape.Name, s.passwordVariable)
	}
	return shape, tokenclient.Secret(password), nil
}

func readShape(path string) (tokenclient.Shape, error) {
	f, err := os.Open(path) //nolint:gosec // The user names the file.
	if err != nil {
		return tokenclient.Shape{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxShapeFile))
	if err != nil {
		return tokenclient.Shape{}, errors.New("it cannot be read")
	}
	return tokenclient.ParseShape(text)
}
