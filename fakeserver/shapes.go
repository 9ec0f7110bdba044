package fakeserver

import "net/http"

// TokenShape describes one official token server that the emulator's token server plays.
type TokenShape struct {
	// Name is what the shape is called in /shape/NAME/…, where it answers besides its own paths.
	Name string
	// Source says which document or sample has the original, and what of it is inferred.
	Source string
	// Routes are its calls, method and path; a route without a method takes any.
	Routes []string
	// Browsers tells whether a page from elsewhere may call it (CORS).
	Browsers bool
	// Lifetimes says what it makes of the lifetime that it is given.
	Lifetimes Lifetimes
}

// Lifetimes says how a shape answers a call when the lifetime in seconds is odd: with the status of a refusal, or with a token that lives
// so many seconds. The service itself cuts or refuses what is over 24 hours.
type Lifetimes struct {
	// Given says where the lifetime is written.
	Given string
	// Missing is no lifetime at all, Negative is -1, Fractional 1.5, Oversized 4294967296, one more than a token can hold.
	Missing, Zero, Negative, Fractional, Oversized string
}

// TokenShapes lists the shapes of the token server. Where two share a path, the earlier one answers there.
func TokenShapes() []TokenShape {
	var list []TokenShape
	for _, sh := range shapes() {
		for _, r := range sh.routes {
			line := r.path
			if r.method != "" {
				line = r.method + " " + r.path
			}
			sh.Routes = append(sh.Routes, line)
		}
		list = append(list, sh.TokenShape)
	}
	return list
}

// shape is a TokenShape with what it does.
type shape struct {
	TokenShape
	routes []shapeRoute
	// wrongMethod answers a call whose method the route does not take.
	wrongMethod func(*Server, http.ResponseWriter, *http.Request)
}

type shapeRoute struct {
	method, path string
	handle       func(*Server, http.ResponseWriter, *http.Request)
}

// shapes is the table of all shapes. Nothing in two requests tells the Node and the Python sample apart, so Python has no path to itself.
func shapes() []shape {
	return []shape{
		goShape(), javaShape(), olderJavaShape(), javaFormShape(), nodeShape(), pythonShape(), pageShape(), flutterShape(), quickstartShape(),
		rtcShape(),
	}
}
