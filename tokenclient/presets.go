package tokenclient

import (
	"maps"
	"net/http"
	"slices"
)

var (
	jsonBody = map[string]string{"Content-Type": "application/json"}
	formBody = map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
)

// presets are how the official samples ask for a user token (token-lifecycle.md section 4). They are made anew for every caller, so that
// nobody can change them.
func presets() []Shape {
	return withHeaders([]Shape{
		{
			// The Go server of the documentation.
			Name: "go", Method: http.MethodPost, Path: "/generate-user-token", Header: jsonBody,
			Body: `{"user_uuid":{{json .User}},"expire":{{.Expire}}}`, Accept: AcceptJSON, TokenField: "token", ErrorField: "error",
		},
		{
			// Any server that takes everything from the address and answers with the token alone.
			Name: "text", Method: http.MethodGet, Path: "/chat/user/{user}/token", Accept: AcceptText,
		},
		{
			// The Node.js server of the documentation.
			Name: "node", Method: http.MethodGet, Path: "/api/token/generateUserToken",
			Query:  "account={{query .User}}&expireTimeInSeconds={{.Expire}}",
			Accept: AcceptJSON, TokenField: "token", ErrorField: "error",
		},
		{
			// The Python server of the documentation; it is asked as the Node.js one is.
			Name: "python", Method: http.MethodGet, Path: "/api/token/generateUserToken",
			Query:  "account={{query .User}}&expireTimeInSeconds={{.Expire}}",
			Accept: AcceptJSON, TokenField: "token", ErrorField: "error",
		},
		{
			// The Java server of the documentation, asked with a form.
			Name: "java", Method: http.MethodPost, Path: "/token/generate", Header: formBody,
			Body: "userId={{query .User}}&expireSeconds={{.Expire}}&tokenType=user", Accept: AcceptText,
		},
		{
			// The older Java server, which takes the user's name (sources/001).
			Name: "java-text", Method: http.MethodGet, Path: "/chat/user/{user}/token", Accept: AcceptText,
		},
		{
			// The oldest Java server, which takes the UUID of the user's registration (sources/002).
			Name: "java-uuid", Method: http.MethodGet, Path: "/chat/user/uuid/{user}/token", Accept: AcceptText,
		},
		{
			// The web page of the older documents (sources/002).
			Name: "web", Method: http.MethodPost, Path: "/token", Header: jsonBody,
			Body:   `{"userAccount":{{json .User}},"userPassword":{{json .Password}}}`,
			Accept: AcceptJSON, TokenField: "accessToken", ErrorField: "errorInfo", ExpiryField: "expireTimestamp", ExpiryUnit: ExpiryUnixMillis,
		},
		{
			// The Flutter client of the documentation. It asks for no lifetime.
			Name: "flutter", Method: http.MethodPost, Path: "/flutter/token", Header: jsonBody,
			Body: `{"userId":{{json .User}}}`, Accept: AcceptJSON, TokenField: "token", ErrorField: "error",
		},
		{
			// The React Native client of the documentation. It adds nothing to its address, so that the address has to name the user.
			Name: "rn", Method: http.MethodGet, Path: "/api/token/generateUserToken?account={user}&expireTimeInSeconds={expire}",
			Accept: AcceptJSON, TokenField: "token", ErrorField: "error",
		},
		{
			// The login of the quickstarts' app servers.
			Name: "quickstart", Method: http.MethodPost, Path: "/app/chat/user/login", Header: jsonBody,
			Body:   `{"userAccount":{{json .User}},"userPassword":{{json .Password}}}`,
			Accept: AcceptJSON, TokenField: "accessToken", ErrorField: "errorInfo", ExpiryField: "expireTimestamp", ExpiryUnit: ExpiryUnixMillis,
		},
		{
			// The Android client of the documentation, which writes the form into the address and sends no body.
			Name: "android", Method: http.MethodPost, Path: "/token/generate", Header: formBody,
			Query: "userId={{query .User}}&expireSeconds={{.Expire}}&tokenType=user", Accept: AcceptText,
		},
		{
			// The Windows client of the documentation. None of the documented servers reads what it sends.
			Name: "windows", Method: http.MethodGet, Query: "userId={{query .User}}", Accept: AcceptJSON, TokenField: "token", ErrorField: "error",
		},
		{
			// The community's token service, asked with GET.
			Name: "community", Method: http.MethodGet, Path: "/chat/account/{user}/?expiry={expire}",
			Accept: AcceptJSON, TokenField: "chatToken", ErrorField: "error",
		},
		{
			// The community's token service, asked with POST.
			Name: "community-post", Method: http.MethodPost, Path: "/getToken", Header: jsonBody,
			Body: `{"tokenType":"chat","uid":{{json .User}},"expire":{{.Expire}}}`, Accept: AcceptJSON, TokenField: "token", ErrorField: "error",
		},
		{
			// The docker server of Agora's tools. Its fields say Ts, but are lifetimes.
			Name: "tools-docker", Method: http.MethodPost, Path: "/token/generate", Header: jsonBody,
			Body: `{"tokenExpireTs":{{.Expire}},"privilegeExpireTs":{{.Expire}},` +
				`"serviceChat":{"enableUser":true,"userUuid":{{json .User}}}}`,
			Accept: AcceptJSON, TokenField: "data.token", ErrorField: "message",
		},
	})
}

// appPresets are how the servers among them are asked for an app token, which is for no user.
func appPresets() []Shape {
	return withHeaders([]Shape{
		{
			Name: "go", Method: http.MethodPost, Path: "/generate-app-token", Header: jsonBody,
			Body: `{"expire":{{.Expire}}}`, Accept: AcceptJSON, TokenField: "token", ErrorField: "error",
		},
		{Name: "text", Method: http.MethodGet, Path: "/chat/app/token", Accept: AcceptText},
		{
			Name: "node", Method: http.MethodGet, Path: "/api/token/generateAppToken", Query: "expireTimeInSeconds={{.Expire}}",
			Accept: AcceptJSON, TokenField: "token", ErrorField: "error",
		},
		{
			Name: "python", Method: http.MethodGet, Path: "/api/token/generateAppToken", Query: "expireTimeInSeconds={{.Expire}}",
			Accept: AcceptJSON, TokenField: "token", ErrorField: "error",
		},
		{
			Name: "java", Method: http.MethodPost, Path: "/token/generate", Header: formBody,
			Body: "userId=&expireSeconds={{.Expire}}&tokenType=app", Accept: AcceptText,
		},
		{Name: "java-text", Method: http.MethodGet, Path: "/chat/app/token", Accept: AcceptText},
		{
			Name: "community", Method: http.MethodGet, Path: "/chat/app/?expiry={expire}",
			Accept: AcceptJSON, TokenField: "chatToken", ErrorField: "error",
		},
		{
			Name: "tools-docker", Method: http.MethodPost, Path: "/token/generate", Header: jsonBody,
			Body:   `{"tokenExpireTs":{{.Expire}},"privilegeExpireTs":{{.Expire}},"serviceChat":{"enableApp":true}}`,
			Accept: AcceptJSON, TokenField: "data.token", ErrorField: "message",
		},
	})
}

// RTCPreset is how the Go sample of Agora's media documents is asked for a token of the channel "ttlchat" ([ServiceRTC]).
func RTCPreset() Shape {
	return Shape{
		Name: "rtc", Method: http.MethodPost, Path: "/fetch_rtc_token", Header: maps.Clone(jsonBody),
		Body: `{"uid":{{uid .User}},"channelName":"ttlchat","role":1,"expire":{{.Expire}}}`, Accept: AcceptJSON, TokenField: "token",
	}
}

// withHeaders gives every shape headers of its own.
func withHeaders(shapes []Shape) []Shape {
	for i, s := range shapes {
		shapes[i].Header = make(map[string]string)
		maps.Copy(shapes[i].Header, s.Header)
	}
	return shapes
}

// Preset returns the built-in shape of that name, for user tokens.
func Preset(name string) (Shape, bool) { return named(presets(), name) }

// Presets returns the names of the built-in shapes for user tokens, the usual one first.
func Presets() []string { return names(presets()) }

// AppPreset returns the built-in shape of that name, for app tokens. [Check] refuses what it fetches: use [Client.Exchange].
func AppPreset(name string) (Shape, bool) { return named(appPresets(), name) }

// AppPresets returns the names of the built-in shapes for app tokens, the usual one first.
func AppPresets() []string { return names(appPresets()) }

func named(shapes []Shape, name string) (Shape, bool) {
	i := slices.IndexFunc(shapes, func(s Shape) bool { return s.Name == name })
	if i < 0 {
		return Shape{}, false
	}
	return shapes[i], true
}

func names(shapes []Shape) []string {
	var all []string
	for _, s := range shapes {
		all = append(all, s.Name)
	}
	return all
}
