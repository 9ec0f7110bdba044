// Protogen is a module of its own so that its dependencies stay out of the product's go.mod.
module github.com/ttlchat/ttlchat/internal/msync/protogen

go 1.26.0

require (
	github.com/bufbuild/protocompile v0.14.1
	google.golang.org/protobuf v1.36.12
)

require golang.org/x/sync v0.8.0 // indirect

tool google.golang.org/protobuf/cmd/protoc-gen-go
