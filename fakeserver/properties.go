package fakeserver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Properties is the application.properties of the official Java token servers (sources/001 and sources/002). Texts are as Java reads them:
// quotes and trailing spaces belong to them.
type Properties struct {
	// AppID and AppCertificate are appid and appcert. They may be anything; with ones that are not filled in the Java servers answer 200 with
	// a complaint, with malformed ones 200 with nothing.
	AppID, AppCertificate string
	// AppKey and Domain are appkey and domain, which the server that looks users up needs.
	AppKey, Domain string
	// Expire is expire.second, the life of tokens in seconds. Java takes any number of 32 bits, negative ones too.
	Expire int32
}

// PropertiesError says why a file is no configuration that a Java token server would start with.
type PropertiesError struct {
	// Line counts from 1; 0 is the file as a whole.
	Line   int
	Reason string
}

// Error implements error.
func (e *PropertiesError) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
}

// maxProperties bounds a file of properties in bytes.
const maxProperties = 64 << 10

// ReadProperties reads an application.properties by Java's rules: Latin-1 with \u escapes, comments after # or !, lines that continue after
// a backslash, the last of several values. appid, appcert and expire.second must be there; other keys are ignored, server.port too. What is
// wrong with the file comes as a [*PropertiesError], which never quotes a value.
func ReadProperties(r io.Reader) (Properties, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxProperties+1))
	if err != nil {
		return Properties{}, fmt.Errorf("read the properties: %w", err)
	}
	if len(b) > maxProperties {
		return Properties{}, &PropertiesError{Reason: fmt.Sprintf("the file is larger than %d KiB", maxProperties>>10)}
	}
	var p Properties
	var expire string
	fields := map[string]*string{"appid": &p.AppID, "appcert": &p.AppCertificate, "appkey": &p.AppKey, "domain": &p.Domain, "expire.second": &expire}
	found := make(map[string]int) // the line
	for _, line := range logicalLines(b) {
		key, value, err := splitProperty(line.text)
		if err != nil {
			return Properties{}, &PropertiesError{line.number, err.Error()}
		}
		field := fields[key]
		if field == nil {
			continue
		}
		if strings.Contains(value, "${") {
			return Properties{}, &PropertiesError{line.number, key + " has a ${placeholder}, which nothing fills in here; write the value itself"}
		}
		*field, found[key] = value, line.number
	}
	for _, key := range []string{"appid", "appcert", "expire.second"} {
		if found[key] == 0 {
			return Properties{}, &PropertiesError{Reason: "there is no " + key + ", without which the Java server does not start; add a line " + key + "="}
		}
	}
	var ok bool
	if p.Expire, ok = springInt(expire); !ok {
		return Properties{}, &PropertiesError{
			found["expire.second"], "expire.second is no whole number of 32 bits, so the Java server does not start; write seconds, such as 6000",
		}
	}
	return p, nil
}

// propertyLine is a logical line and the number of the natural line that it begins in.
type propertyLine struct {
	number int
	text   []byte
}

// logicalLines joins what a backslash at the end continues, and leaves out blank lines and comments.
func logicalLines(b []byte) []propertyLine {
	var lines []propertyLine
	b = bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\r"), []byte("\n"))
	var current propertyLine
	for i, line := range bytes.Split(b, []byte("\n")) {
		line = bytes.TrimLeft(line, " \t\f")
		if len(current.text) == 0 {
			if len(line) == 0 || line[0] == '#' || line[0] == '!' {
				continue
			}
			current.number = i + 1
		}
		backslashes := len(line) - len(bytes.TrimRight(line, `\`))
		continued := backslashes%2 == 1
		if continued {
			line = line[:len(line)-1]
		}
		current.text = append(current.text, line...)
		if !continued {
			lines = append(lines, current)
			current = propertyLine{}
		}
	}
	return append(lines, current) // what a backslash at the very end leaves open
}

// splitProperty cuts a line at the first =, : or white space that is not escaped.
func splitProperty(line []byte) (key, value string, err error) {
	end := 0
	for end < len(line) && strings.IndexByte("=: \t\f", line[end]) < 0 {
		if line[end] == '\\' {
			end++
		}
		end++
	}
	end = min(end, len(line))
	rest := bytes.TrimLeft(line[end:], " \t\f")
	if len(rest) > 0 && (rest[0] == '=' || rest[0] == ':') {
		rest = bytes.TrimLeft(rest[1:], " \t\f")
	}
	if key, err = unescapeProperty(line[:end]); err == nil {
		value, err = unescapeProperty(rest)
	}
	return key, value, err
}

var errBadEscape = errors.New(`\u is not followed by four hexadecimal digits; write \\ for a backslash`)

// unescapeProperty turns Latin-1 with Java's escapes into a string.
func unescapeProperty(b []byte) (string, error) {
	text := make([]uint16, 0, len(b))
	for i := 0; i < len(b); i++ {
		c := uint16(b[i])
		if b[i] == '\\' && i+1 < len(b) {
			i++
			switch b[i] {
			case 't':
				c = '\t'
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 'f':
				c = '\f'
			case 'u':
				code, err := strconv.ParseUint(string(b[i+1:min(i+5, len(b))]), 16, 16)
				if err != nil || i+4 >= len(b) {
					return "", errBadEscape
				}
				c = uint16(code)
				i += 4
			default:
				c = uint16(b[i])
			}
		}
		text = append(text, c)
	}
	return string(utf16.Decode(text)), nil
}
