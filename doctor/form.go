package doctor

import (
	"cmp"
	"context"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/ttlchat/ttlchat/tokenclient"
)

func (p *patient) status(context.Context) finding {
	a := p.first
	switch {
	case !a.success():
		return fail(a.complaint(), "No app gets a token.", sentence(a.advice()))
	case a.Status != http.StatusOK:
		return warn(fmt.Sprintf("%d %s", a.Status, http.StatusText(a.Status)),
			"The official Flutter sample takes 200 for a success, and nothing else.",
			"Answer 200.")
	}
	return pass("200 OK")
}

func (p *patient) shape(context.Context) finding {
	a := p.first
	if a.Token == "" {
		mend := cmp.Or(a.advice(), "check the App ID and the App Certificate of the server, and look into its log")
		return fail(a.complaint(),
			"Apps find no token, or take something else for one, in an answer that says 200: the login fails without a hint at the cause.",
			sentence(mend))
	}
	if p.cfg.Shape.Accept == tokenclient.AcceptText {
		return pass("the token is the whole answer")
	}
	return pass("the token is in the field %s", p.cfg.Shape.TokenField)
}

func (p *patient) contentType(context.Context) finding {
	stated := p.first.Header.Get("Content-Type")
	kind, _, _ := mime.ParseMediaType(stated)
	wanted, right := "text/plain", kind == "text/plain"
	if p.cfg.Shape.Accept == tokenclient.AcceptJSON {
		wanted, right = "application/json", kind == "application/json" || strings.HasSuffix(kind, "+json")
	}
	if right {
		return pass("%s", stated)
	}
	if stated == "" {
		stated = "no content type"
	}
	return warn(stated+" in place of "+wanted,
		"Many HTTP libraries look at it before they read an answer, and give the app a text, or nothing, in place of the token.",
		"Send Content-Type: "+wanted+".")
}
