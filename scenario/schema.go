package scenario

import _ "embed" // for the schema

// SchemaFile is the JSON Schema (draft 2020-12) of scenario files, for editors. A test generates it from the types, and keeps it so.
//
//go:embed scenario.schema.json
var SchemaFile []byte
