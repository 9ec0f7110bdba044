package agoratoken

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/AgoraIO/Tools/DynamicKey/AgoraDynamicKey/go/src/accesstoken2"
)

// project is made up.
var project = Credentials{AppID: "970ca35de60c44645bbae8a215061b33", Certificate: "5cfd2fd1755d40ecb72977518be15d3b"}

// printed is the token that the official documentation prints.
const printed = "007eJxTYPj3p2Tnb4tznzxfO/0LK5cu/GZmI71PnWPVkbVhP/aniEspMBhbJJqnGKclmVsYJ5kYWBhbJqcapqRZpJmbm5ikGRsnnT12OrGhN5pB97zpVEYGVgZGBiYGEJ+BAQBN0CGG"

// official builds a token with services that the chat token builder does not make.
func official(t testing.TB, issued, expire uint32, services ...accesstoken2.IService) string {
	t.Helper()
	token := accesstoken2.NewAccessToken(project.AppID, string(project.Certificate), expire)
	token.IssueTs = issued
	for _, s := range services {
		token.AddService(s)
	}
	text, err := token.Build()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func chatService(user string, privileges map[uint16]uint32) accesstoken2.IService {
	s := accesstoken2.NewServiceChat(user)
	s.Privileges = privileges
	return s
}

// unpack returns the bytes inside a token; pack is its inverse.
func unpack(t testing.TB, text string) []byte {
	t.Helper()
	packed, err := base64.StdEncoding.DecodeString(text[len(version):])
	if err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, maxRaw)
	n, err := inflate(buffer, packed)
	if err != nil {
		t.Fatal(err)
	}
	return buffer[:n]
}

func pack(raw []byte) string { return version + base64.StdEncoding.EncodeToString(deflate(raw)) }

func deflate(raw []byte) []byte { return deflateLevel(raw, zlib.DefaultCompression) }

func deflateLevel(raw []byte, level int) []byte {
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, level)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(raw)
	_ = w.Close()
	return b.Bytes()
}

// resign packs signed with the signature that the project's certificate gives it.
func resign(t testing.TB, signed []byte) string {
	t.Helper()
	r := reader{rest: signed}
	e := envelope{signed: signed, appID: r.bytes()}
	e.issuedAt, e.expire, e.salt = r.uint32(), r.uint32(), r.uint32()
	signature := new(signer).sign(project.Certificate, e.issuedAt, e.salt, signed)
	return pack(append([]byte{signatureSize, 0}, append(signature[:], signed...)...))
}

// kindOf returns the kind of err, or "" for nil.
func kindOf(t testing.TB, err error) Kind {
	t.Helper()
	if err == nil {
		return ""
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("%v is no *Error", err)
	}
	return e.Kind
}
