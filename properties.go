package main

import (
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ttlchat/ttlchat/fakeserver"
	"github.com/ttlchat/ttlchat/internal/agoratoken"
)

// readProperties reads the file of --properties. What the flags leave open of the project comes from the file, so that the tokens of the
// Java shapes are good for the emulator; with flags for another project they are signed for the wrong one, as people who test that want.
func (o *options) readProperties(flags *pflag.FlagSet) error {
	if o.propertiesFile == "" {
		return nil
	}
	file, err := os.Open(o.propertiesFile)
	if err != nil {
		return usage("%s: %w", setting("properties"), err)
	}
	defer file.Close()
	p, err := fakeserver.ReadProperties(file)
	if err != nil {
		return usage("%s: %s: %w", setting("properties"), o.propertiesFile, err)
	}
	o.properties = &p
	c := agoratoken.Credentials{AppID: p.AppID, Certificate: agoratoken.Certificate(p.AppCertificate)}
	if o.appID == "" && o.appCertificate == "" && c.Validate() == nil {
		o.appID, o.appCertificate = p.AppID, p.AppCertificate
	}
	if org, app, ok := strings.Cut(p.AppKey, "#"); ok && org != "" && app != "" && !flags.Changed("app-key") {
		o.appKey = p.AppKey
	}
	return nil
}
