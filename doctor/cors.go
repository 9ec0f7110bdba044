package doctor

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/ttlchat/ttlchat/internal/pattern"
	"github.com/ttlchat/ttlchat/tokenclient"
)

// foreign is where the page of this check comes from.
const foreign = "https://ttlchat.example"

// cors asks as a page from elsewhere does. Not to let pages in is a decision; to let them in by half is a defect.
func (p *patient) cors(ctx context.Context) finding {
	const means = "Apps in browsers get no token, although the server seems to work: the browser keeps the answer from them."
	shape := p.cfg.Shape
	shape.Header = map[string]string{"Origin": foreign}
	maps.Copy(shape.Header, p.cfg.Shape.Header)
	actual := p.askAs(ctx, shape, p.cfg.User)
	allowed := actual.Header.Values("Access-Control-Allow-Origin")
	asked := headersToAsk(p.cfg.Shape)
	needs := len(asked) > 0 || p.cfg.Shape.Method != http.MethodGet && p.cfg.Shape.Method != http.MethodPost
	preflight := answer{}
	if needs {
		preflight = p.preflight(ctx, asked)
	}
	promised := preflight.Header.Get("Access-Control-Allow-Origin")
	switch {
	case !actual.answered():
		return fail("with an Origin: "+actual.complaint(), means, "Look into the server's log.")
	case len(allowed) == 0 && promised == "":
		return pass("no page may call it; that is fine for apps on devices, not for apps in browsers")
	case len(allowed) == 0:
		return warn("the preflight allows "+promised+", the answer itself allows nobody", means, "Send Access-Control-Allow-Origin with every answer.")
	case len(allowed) > 1 || strings.Contains(allowed[0], ","):
		return warn("Access-Control-Allow-Origin comes more than once", means, "Send it once: either the server or the proxy before it, not both.")
	}
	if needs {
		if lack := lacking(preflight, p.cfg.Shape.Method, asked); lack != "" {
			return warn("the answer allows "+allowed[0]+", but the preflight (OPTIONS) "+lack, means,
				"Answer OPTIONS with 204 and with Access-Control-Allow-Origin, -Methods and -Headers, without asking for credentials.")
		}
	}
	if allowed[0] != "*" && allowed[0] != foreign {
		return pass("pages of %s may call it", allowed[0])
	}
	return pass("pages of any site may call it")
}

// headersToAsk are those for which a browser asks before it sends them.
func headersToAsk(shape tokenclient.Shape) []string {
	var asked []string
	for name, value := range shape.Header {
		if name = strings.ToLower(name); !safelisted(name, value) {
			asked = append(asked, name)
		}
	}
	slices.Sort(asked)
	return asked
}

// maxSafelisted is how many bytes the value of a header has at most that browsers send without asking.
const maxSafelisted = 128

var (
	// unsafeBytes and noLanguage match what values must not have (Fetch standard, section 2.2.2).
	unsafeBytes = pattern.New(`[\x00-\x08\x0a-\x1f"():<>?@\[\\\]{}\x7f]`)
	noLanguage  = pattern.New(`[^0-9A-Za-z *,.;=-]`)
)

// safelisted reports whether browsers send a header, whose name is in small letters, without asking: "CORS-safelisted request-header" in the
// Fetch standard, section 2.2.2.
func safelisted(name, value string) bool {
	if len(value) > maxSafelisted {
		return false
	}
	switch name {
	case "accept":
		return !unsafeBytes().MatchString(value)
	case "accept-language", "content-language":
		return !noLanguage().MatchString(value)
	case "content-type":
		kind, _, _ := strings.Cut(value, ";")
		kind = strings.ToLower(strings.TrimSpace(kind))
		return !unsafeBytes().MatchString(value) &&
			slices.Contains([]string{"application/x-www-form-urlencoded", "text/plain", "multipart/form-data"}, kind)
	}
	return false
}

// preflight is the question of a browser. It carries none of the shape's headers.
func (p *patient) preflight(ctx context.Context, asked []string) answer {
	shape := p.cfg.Shape
	shape.Header = map[string]string{"Origin": foreign, "Access-Control-Request-Method": shape.Method}
	if len(asked) > 0 {
		shape.Header["Access-Control-Request-Headers"] = strings.Join(asked, ", ")
	}
	shape.Method, shape.Body = http.MethodOptions, ""
	return p.askAs(ctx, shape, p.cfg.User)
}

// lacking says why a browser is not content with a preflight, or nothing.
func lacking(a answer, method string, asked []string) string {
	if !a.success() {
		return fmt.Sprintf("is answered with %d", a.Status)
	}
	if a.Header.Get("Access-Control-Allow-Origin") == "" {
		return "allows nobody"
	}
	methods := append(list(a, "Access-Control-Allow-Methods"), "get", "post") // which need no permission
	if !slices.Contains(methods, strings.ToLower(method)) && !slices.Contains(methods, "*") {
		return "does not allow " + method
	}
	headers := list(a, "Access-Control-Allow-Headers")
	for _, name := range asked {
		// The star does not stand for Authorization.
		if !slices.Contains(headers, name) && (name == "authorization" || !slices.Contains(headers, "*")) {
			return "does not allow the header " + name
		}
	}
	return ""
}

// list is a header that lists words.
func list(a answer, name string) []string {
	var words []string
	for word := range strings.SplitSeq(strings.Join(a.Header.Values(name), ","), ",") {
		words = append(words, strings.ToLower(strings.TrimSpace(word)))
	}
	return words
}
