package judge

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"testing"
	"time"

	"github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/accesstoken2"

	"github.com/ttlchat/ttlchat/internal/agoratoken"
)

// project is made up.
var (
	project = agoratoken.Credentials{AppID: "970ca35de60c44645bbae8a215061b33", Certificate: "5cfd2fd1755d40ecb72977518be15d3b"}
	noon    = time.Date(2023, 11, 14, 12, 0, 0, 0, time.UTC)
)

// noonSecond is noon in seconds since 1970.
const noonSecond = 1_699_963_200

const otherHex = "00000000000000000000000000000000"

// printed is the token that the official documentation of app tokens prints (sources/001).
const printed = "007eJxTYPj3p2Tnb4tznzxfO/0LK5cu/GZmI71PnWPVkbVhP/aniEspMBhbJJqnGKclmVsYJ5kYWBhbJqcapqRZpJmbm5ikGRsnnT12OrGhN5pB97zpVEYGVgZGBiYGEJ+BAQBN0CGG"

func must(t testing.TB, text string, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func userToken(t testing.TB, user string, expire uint32, at time.Time) string {
	t.Helper()
	text, err := agoratoken.BuildUser(project, user, expire, at)
	return must(t, text, err)
}

// official builds a token with services that our builders do not make.
func official(t testing.TB, expire uint32, services ...accesstoken2.IService) string {
	t.Helper()
	token := accesstoken2.NewAccessToken(project.AppID, string(project.Certificate), expire)
	token.IssueTs = noonSecond
	for _, s := range services {
		token.AddService(s)
	}
	text, err := token.Build()
	return must(t, text, err)
}

func chatService(user string, privileges map[uint16]uint32) accesstoken2.IService {
	s := accesstoken2.NewServiceChat(user)
	s.Privileges = privileges
	return s
}

// pack packs the inside of a token.
func pack(raw []byte) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write(raw)
	_ = w.Close()
	return "007" + base64.StdEncoding.EncodeToString(b.Bytes())
}

// unpack is the inverse of pack.
func unpack(t testing.TB, text string) []byte {
	t.Helper()
	packed, err := base64.StdEncoding.DecodeString(text[3:])
	if err != nil {
		t.Fatal(err)
	}
	r, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// grave lists the codes of all findings that are not ok.
func grave(v Verdict) []string {
	var codes []string
	for _, f := range v.Findings {
		if f.Severity != OK {
			codes = append(codes, f.Code)
		}
	}
	return codes
}
