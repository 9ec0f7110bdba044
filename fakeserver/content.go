package fakeserver

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/ttlchat/ttlchat/internal/msync"
)

// contentJSON is the content of a message as REST writes it: in POST messages/users without the type, in lists of conversations with it.
// Which fields count depends on the type (protocol.md b.4 and e).
type contentJSON struct {
	Type         string    `json:"type,omitempty"`
	SubType      string    `json:"subType,omitempty"`
	Text         *string   `json:"msg,omitempty"`
	Action       *string   `json:"action,omitempty"`
	CustomEvent  *string   `json:"customEvent,omitempty"`
	CustomExts   exts      `json:"customExts,omitempty"`
	Latitude     *degrees  `json:"lat,omitempty"`
	Longitude    *degrees  `json:"lng,omitempty"`
	Address      *string   `json:"addr,omitempty"`
	Building     *string   `json:"buildingName,omitempty"`
	Filename     *string   `json:"filename,omitempty"`
	URL          *string   `json:"url,omitempty"`
	Secret       *string   `json:"secret,omitempty"`
	FileLength   *int32    `json:"file_length,omitempty"` // bytes
	Duration     *int32    `json:"length,omitempty"`      // seconds
	Size         *sizeJSON `json:"size,omitempty"`
	Thumb        *string   `json:"thumb,omitempty"`
	ThumbSecret  *string   `json:"thumb_secret,omitempty"`
	Title        *string   `json:"title,omitempty"`
	Summary      *string   `json:"summary,omitempty"`
	CombineLevel *int32    `json:"combineLevel,omitempty"`
}

type sizeJSON struct {
	Width  *float64 `json:"width,omitempty"`
	Height *float64 `json:"height,omitempty"`
}

// degrees is a number that may be written as text, as the documents do.
type degrees float64

// UnmarshalJSON implements json.Unmarshaler.
func (d *degrees) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return errors.New("lat and lng must be numbers")
	}
	*d = degrees(f)
	return nil
}

// exts are the extensions of a custom message. They are read from an object or from an array of objects, and written as an array, each key
// for itself, because that is what the SDK takes apart in a list of conversations.
type exts []*msync.KeyValue

// UnmarshalJSON implements json.Unmarshaler.
func (e *exts) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		b = slices.Concat([]byte{'['}, b, []byte{']'})
	}
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(b, &list); err != nil {
		return err
	}
	for _, m := range list {
		*e = append(*e, keyValues(m)...)
	}
	return nil
}

// MarshalJSON implements json.Marshaler.
func (e exts) MarshalJSON() ([]byte, error) {
	list := make([]map[string]any, len(e))
	for i, kv := range e {
		list[i] = plainValues([]*msync.KeyValue{kv})
	}
	return json.Marshal(list)
}

// contentKinds are the types of content by the names that REST has for them.
var contentKinds = map[string]msync.MessageBody_Content_Type{
	"txt": msync.MessageBody_Content_TEXT, "img": msync.MessageBody_Content_IMAGE, "video": msync.MessageBody_Content_VIDEO,
	"loc": msync.MessageBody_Content_LOCATION, "audio": msync.MessageBody_Content_VOICE, "file": msync.MessageBody_Content_FILE,
	"cmd": msync.MessageBody_Content_COMMAND, "custom": msync.MessageBody_Content_CUSTOM,
}

// parseContent reads the body of a message that is sent over REST. The error says what is missing.
func parseContent(kind string, raw []byte) (*msync.MessageBody_Content, error) {
	t, known := contentKinds[kind]
	if !known {
		return nil, fmt.Errorf("type must be one of %s", strings.Join(slices.Sorted(maps.Keys(contentKinds)), ", "))
	}
	var c contentJSON
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("the body is not that of a %s message", kind)
	}
	missing := ""
	switch t {
	case msync.MessageBody_Content_TEXT:
		missing = missingOf("msg", c.Text)
	case msync.MessageBody_Content_COMMAND:
		missing = missingOf("action", c.Action)
	case msync.MessageBody_Content_CUSTOM:
		missing = missingOf("customEvent", c.CustomEvent)
	case msync.MessageBody_Content_LOCATION:
		missing = cmp.Or(missingOf("lat", c.Latitude), missingOf("lng", c.Longitude))
	default:
		missing = missingOf("url", c.URL)
	}
	if missing != "" {
		return nil, fmt.Errorf("body.%s is missing", missing)
	}
	content := &msync.MessageBody_Content{
		Type: &t, Text: c.Text, Action: c.Action, CustomEvent: c.CustomEvent, CustomExts: c.CustomExts,
		Latitude: (*float64)(c.Latitude), Longitude: (*float64)(c.Longitude), Address: c.Address, BuildingName: c.Building,
		DisplayName: c.Filename, RemotePath: c.URL, SecretKey: c.Secret, FileLength: c.FileLength, Duration: c.Duration,
		ThumbnailRemotePath: c.Thumb, ThumbnailSecretKey: c.ThumbSecret,
	}
	if c.Size != nil {
		content.Size = &msync.MessageBody_Content_Size{Width: c.Size.Width, Height: c.Size.Height}
	}
	return content, nil
}

func missingOf[T any](name string, value *T) string {
	if value == nil {
		return name
	}
	return ""
}

// renderContent is a content as the SDK reads it in a list of conversations.
func renderContent(c *msync.MessageBody_Content) contentJSON {
	r := contentJSON{
		Type: kindOfContent(c), Text: c.Text, Action: c.Action, CustomEvent: c.CustomEvent, CustomExts: c.GetCustomExts(),
		Latitude: (*degrees)(finite(c.Latitude)), Longitude: (*degrees)(finite(c.Longitude)), Address: c.Address, Building: c.BuildingName,
		Filename: c.DisplayName, URL: c.RemotePath, Secret: c.SecretKey, FileLength: c.FileLength, Duration: c.Duration,
		Thumb: c.ThumbnailRemotePath, ThumbSecret: c.ThumbnailSecretKey, Title: c.Title, Summary: c.Summary, CombineLevel: c.CombineLevel,
	}
	if c.SubType != nil {
		switch c.GetSubType() {
		case msync.MessageBody_Content_SUB_COMBINE:
			r.SubType = "sub_combine"
		case msync.MessageBody_Content_SUB_GIF:
			r.SubType = "sub_gif"
		}
	}
	if c.Size != nil {
		r.Size = &sizeJSON{Width: finite(c.Size.Width), Height: finite(c.Size.Height)}
	}
	return r
}

// kindOfContent is the name that REST has for a content.
func kindOfContent(c *msync.MessageBody_Content) string {
	for name, t := range contentKinds {
		if t == c.GetType() {
			return name
		}
	}
	return "txt"
}

// keyValues turns a JSON object into the wire's form, in the order of the keys. It chooses types as the SDK does (protocol.md b.1).
func keyValues(object map[string]json.RawMessage) []*msync.KeyValue {
	var list []*msync.KeyValue
	for _, key := range slices.Sorted(maps.Keys(object)) {
		list = append(list, keyValue(key, object[key]))
	}
	return list
}

func keyValue(key string, raw json.RawMessage) *msync.KeyValue {
	kv := &msync.KeyValue{Key: &key}
	set := func(t msync.KeyValue_ValueType) *msync.KeyValue {
		kv.Type = &t
		return kv
	}
	raw = bytes.TrimSpace(raw)
	switch {
	case bytes.Equal(raw, []byte("true")):
		kv.VarintValue = new(int64(1))
		return set(msync.KeyValue_BOOL)
	case bytes.Equal(raw, []byte("false")):
		kv.VarintValue = new(int64(0))
		return set(msync.KeyValue_BOOL)
	case raw[0] == '"':
		var s string
		if json.Unmarshal(raw, &s) == nil {
			kv.StringValue = &s
			return set(msync.KeyValue_STRING)
		}
	case raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9':
		if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
			kv.VarintValue = &n
			return set(msync.KeyValue_INT)
		}
		if f, err := strconv.ParseFloat(string(raw), 64); err == nil {
			kv.DoubleValue = &f
			return set(msync.KeyValue_DOUBLE)
		}
	}
	kv.StringValue = new(string(raw))
	return set(msync.KeyValue_JSON_STRING)
}

// plainValues is the other way round.
func plainValues(list []*msync.KeyValue) map[string]any {
	object := make(map[string]any, len(list))
	for _, kv := range list {
		object[kv.GetKey()] = plainValue(kv)
	}
	return object
}

func plainValue(kv *msync.KeyValue) any {
	switch kv.GetType() {
	case msync.KeyValue_BOOL:
		return kv.GetVarintValue() != 0
	case msync.KeyValue_INT, msync.KeyValue_UINT, msync.KeyValue_LLINT:
		return kv.GetVarintValue()
	case msync.KeyValue_FLOAT:
		return finite(new(float64(kv.GetFloatValue())))
	case msync.KeyValue_DOUBLE:
		return finite(kv.DoubleValue)
	case msync.KeyValue_JSON_STRING:
		if raw := json.RawMessage(kv.GetStringValue()); json.Valid(raw) {
			return raw
		}
	}
	return kv.GetStringValue()
}

// finite is the number when JSON has a form for it, else nil.
func finite(f *float64) *float64 {
	if f == nil || math.IsNaN(*f) || math.IsInf(*f, 0) {
		return nil
	}
	return f
}
