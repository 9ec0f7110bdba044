package msync

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// fields is protocol.md section b once more, written down independently of the schema: number, name and type of every field.
var fields = map[string]string{
	"MSync": "1 version enum · 2 guid JID · 3 auth string · 4 compress_algorimth uint32 · 5 crypto uint32 · 6 user_agent string · " +
		"7 pov uint64 · 8 command enum · 9 payload bytes · 10 device_id uint32 · 11 encrypt_type rep enum · 12 encrypt_key string · " +
		"13 tag bytes · 14 iv bytes · 20 trace_id uint64",
	"JID": "1 app_key string · 2 name string · 3 domain string · 4 client_resource string",
	"KeyValue": "1 key string · 2 type enum · 3 varint_value int64 · 4 float_value float · 5 double_value double · " +
		"6 string_value string",
	"Status":              "1 error_code enum · 2 reason string · 3 redirect_info rep RedirectInfo",
	"Status.RedirectInfo": "1 host string · 2 port uint32",
	"Provision": "1 os_type enum · 2 version string · 3 network_type enum · 4 app_sign string · 5 compress_type rep enum · " +
		"6 encrypt_type rep enum · 7 encrypt_key string · 8 status Status · 9 device_uuid string · 10 is_manual_login bool · " +
		"11 password string · 12 device_name string · 13 resource string · 14 auth string · 16 service_id string · " +
		"17 action_version string · 18 auth_token bytes · 19 os_custom_value uint32 · 20 session_id string · 21 reason string",
	"CommSyncUL": "1 meta Meta · 2 key uint64 · 3 queue JID · 4 is_roam bool · 5 last_full_roam_key uint64 · " +
		"6 roam_config RoamConfig",
	"CommSyncUL.RoamConfig": "1 is_positive bool · 2 pull_number uint64",
	"CommSyncDL": "1 status Status · 2 meta_id uint64 · 3 server_id uint64 · 4 metas rep Meta · 5 next_key uint64 · 6 queue JID · " +
		"7 is_last bool · 8 timestamp uint64 · 9 is_roam bool",
	"CommNotice":   "1 queue JID",
	"CommUnreadUL": "",
	"CommUnreadDL": "1 status Status · 2 unread rep MetaQueue · 3 timestamp uint64",
	"MetaQueue":    "1 queue JID · 2 n uint32",
	"Meta": "1 id uint64 · 2 from JID · 3 to JID · 4 timestamp uint64 · 5 ns enum · 6 payload bytes · 7 routetype enum · " +
		"8 ext rep KeyValue · 9 meta bytes · 10 directed_users rep string · 11 expire_time uint64 · 12 local_timestamp uint64 · " +
		"13 env string",
	"MessageBody": "1 type enum · 2 from JID · 3 to JID · 4 contents rep Content · 5 ext rep KeyValue · 6 ack_message_id uint64 · " +
		"7 msg_config MessageConfig · 8 ack_content string · 9 meta string · 11 edit_message_id uint64 · 12 edit_scope enum",
	"MessageBody.MessageConfig": "1 allow_group_ack bool",
	"MessageBody.Content": "1 type enum · 2 text string · 3 latitude double · 4 longitude double · 5 address string · " +
		"6 display_name string · 7 remote_path string · 8 secret_key string · 9 file_length int32 · 10 action string · " +
		"11 params rep KeyValue · 12 duration int32 · 13 size Size · 14 thumbnail_remote_path string · " +
		"15 thumbnail_secret_key string · 16 thumbnail_display_name string · 17 thumbnail_file_length int32 · " +
		"18 thumbnail_size Size · 19 custom_event string · 20 custom_exts rep KeyValue · 21 building_name string · " +
		"22 sub_type enum · 23 title string · 24 summary string · 25 combine_level int32",
	"MessageBody.Content.Size": "1 width double · 2 height double",
	"StatisticsBody": "1 operation enum · 2 os enum · 3 version string · 4 network enum · 5 im_time uint32 · 6 chat_time uint32 · " +
		"7 location string · 8 replace_device_name string · 9 session_id string · 10 reason string",
	"RosterBody": "1 operation enum · 2 status RosterStatus · 3 from JID · 4 to rep JID · 5 reason string · 6 roster_ver string · " +
		"7 bi_direction bool",
	"RosterBody.RosterStatus": "1 error_code int32 · 2 description string",
	"MUCBody": "1 muc_id JID · 2 operation enum · 3 from JID · 4 to rep JID · 6 reason string · 7 is_chatroom bool · " +
		"8 status MUCStatus · 9 is_thread bool · 10 muc_parent_id JID · 11 muc_name string · 13 muc_member_count int32 · " +
		"14 ext string · 15 leave_other_rooms bool · 16 members rep string",
	"MUCBody.MUCStatus": "1 error_code int32 · 2 description string · 3 chatroom_info string",
	"Logout":            "1 session_id string · 2 reason string · 3 status Status",
}

// enums is the values of every enum of protocol.md section b.
var enums = map[string]string{
	"MSync.Version":      "MSYNC_V1=0 MSYNC_V2=1",
	"MSync.Command":      "SYNC=0 UNREAD=1 NOTICE=2 PROVISION=3 LOGOUT=4",
	"MSync.EncryptType":  "ENCRYPT_NONE=0",
	"KeyValue.ValueType": "BOOL=1 INT=2 UINT=3 LLINT=4 FLOAT=5 DOUBLE=6 STRING=7 JSON_STRING=8",
	"Status.ErrorCode": "OK=0 FAIL=1 UNAUTHORIZED=2 MISSING_PARAMETER=3 WRONG_PARAMETER=4 REDIRECT=5 TOKEN_EXPIRED=6 " +
		"PERMISSION_DENIED=7 NO_ROUTE=8 UNKNOWN_COMMAND=9 PB_PARSER_ERROR=10 BIND_ANOTHER_DEVICE=11 IM_FORBIDDEN=12 " +
		"TOO_MANY_DEVICES=13 PLATFORM_LIMIT=14 USER_MUTED=15 ENCRYPT_DISABLE=16 ENCRYPT_ENABLE=17 DECRYPT_FAILURE=18 " +
		"PERMISSION_DENIED_EXTERNAL=19 RESOURCE_CHANGED=20",
	"Provision.OsType": "OS_IOS=0 OS_ANDROID=1 OS_LINUX=2 OS_OSX=3 OS_WIN=4 OS_CUSTOM=5 OS_HARMONY=6 OS_GO=7 OS_OTHER=16",
	"Provision.NetworkType": "NETWORK_NONE=0 NETWORK_WIFI=1 NETWORK_4G=2 NETWORK_3G=3 NETWORK_2G=4 " +
		"NETWORK_WIRE=5",
	"Provision.CompressType": "COMPRESS_NONE=0 COMPRESS_ZLIB=1",
	"Meta.NameSpace":         "STATISTIC=0 CHAT=1 MUC=2 ROSTER=3 CONFERENCE=4 NOTIFY=5 QUERY=6",
	"Meta.RouteType":         "ROUTE_ALL=0 ROUTE_ONLINE=1 ROUTE_DIRECT=2",
	"MessageBody.Type": "NORMAL=0 CHAT=1 GROUPCHAT=2 CHATROOM=3 READ_ACK=4 DELIVER_ACK=5 RECALL=6 CHANNEL_ACK=7 " +
		"EDIT=8",
	"MessageBody.EditScope": "BODY=1 BODY_AND_EXT=2",
	"MessageBody.Content.Type": "TEXT=0 IMAGE=1 VIDEO=2 LOCATION=3 VOICE=4 FILE=5 COMMAND=6 CUSTOM=7 " +
		"COMBINE=8",
	"MessageBody.Content.SubType": "SUB_COMBINE=0 SUB_GIF=1 SUB_STREAM=10",
	"StatisticsBody.Operation": "INFORMATION=0 USER_REMOVED=1 USER_LOGIN_ANOTHER_DEVICE=2 USER_KICKED_BY_CHANGE_PASSWORD=3 " +
		"USER_KICKED_BY_OTHER_DEVICE=4",
	"RosterBody.Operation": "GET_ROSTER=0 GET_BLACKLIST=1 ADD=2 REMOVE=3 ACCEPT=4 DECLINE=5 BAN=6 ALLOW=7 REMOTE_ACCEPT=8 " +
		"REMOTE_DECLINE=9",
	"MUCBody.Operation": "CREATE=0 DESTROY=1 JOIN=2 LEAVE=3 APPLY=4 APPLY_ACCEPT=5 APPLY_DECLINE=6 INVITE=7 INVITE_ACCEPT=8 " +
		"INVITE_DECLINE=9 KICK=10 GET_BLACKLIST=11 BAN=12 ALLOW=13 UPDATE=14 BLOCK=15 UNBLOCK=16 PRESENCE=17 ABSENCE=18 " +
		"DIRECT_JOINED=19 ASSIGN_OWNER=20 ADD_ADMIN=21 REMOVE_ADMIN=22 ADD_MUTE=23 REMOVE_MUTE=24",
}

func TestSchema(t *testing.T) {
	gotFields, gotEnums := map[string]string{}, map[string]string{}
	collectMessages("", File_msync_proto.Messages(), gotFields, gotEnums)
	if diff := cmp.Diff(fields, gotFields); diff != "" {
		t.Errorf("fields (-document +schema):\n%s", diff)
	}
	if diff := cmp.Diff(enums, gotEnums); diff != "" {
		t.Errorf("enums (-document +schema):\n%s", diff)
	}
	if n := File_msync_proto.Enums().Len(); n != 0 {
		t.Errorf("%d enums outside a message, want none", n)
	}
}

func collectMessages(prefix string, messages protoreflect.MessageDescriptors, fields, enums map[string]string) {
	for i := range messages.Len() {
		m := messages.Get(i)
		name := prefix + string(m.Name())
		var all []string
		for j := range m.Fields().Len() {
			all = append(all, fieldText(m.Fields().Get(j)))
		}
		fields[name] = strings.Join(all, " · ")
		for j := range m.Enums().Len() {
			e := m.Enums().Get(j)
			var values []string
			for k := range e.Values().Len() {
				v := e.Values().Get(k)
				values = append(values, fmt.Sprintf("%s=%d", v.Name(), v.Number()))
			}
			enums[name+"."+string(e.Name())] = strings.Join(values, " ")
		}
		collectMessages(name+".", m.Messages(), fields, enums)
	}
}

func fieldText(f protoreflect.FieldDescriptor) string {
	kind := f.Kind().String()
	if f.Message() != nil {
		kind = string(f.Message().Name())
	}
	switch {
	case f.IsPacked():
		kind = "packed " + kind
	case f.IsList():
		kind = "rep " + kind
	}
	return fmt.Sprintf("%d %s %s", f.Number(), f.Name(), kind)
}

// wire puts a frame together by hand: the tests below trust no generated code for the expected bytes.
type wire []byte

func (w wire) num(field protowire.Number, v uint64) wire {
	return protowire.AppendVarint(protowire.AppendTag(w, field, protowire.VarintType), v)
}

func (w wire) str(field protowire.Number, v string) wire {
	return protowire.AppendString(protowire.AppendTag(w, field, protowire.BytesType), v)
}

func (w wire) msg(field protowire.Number, v wire) wire { return w.str(field, string(v)) }

func TestGoldenProvision(t *testing.T) {
	payload := wire{}.num(1, 16).str(2, "1.4.0").num(5, 0).num(6, 0).str(9, "web_1").str(12, "webim").str(13, "webim_web_1").
		str(17, "v5.1").str(18, `{"token":"$t$007abc"}`).str(20, "1:")
	guid := wire{}.str(1, "org#app").str(2, "alice").str(3, "easemob.com").str(4, "webim_web_1")
	frame := wire{}.num(1, 0).msg(2, guid).str(3, "$t$007abc").num(8, 3).msg(9, payload).num(10, 0).num(11, 0)

	provision := &Provision{
		OsType:        Provision_OS_OTHER.Enum(),
		Version:       proto.String("1.4.0"),
		CompressType:  []Provision_CompressType{Provision_COMPRESS_NONE},
		EncryptType:   []MSync_EncryptType{MSync_ENCRYPT_NONE},
		DeviceUuid:    proto.String("web_1"),
		DeviceName:    proto.String("webim"),
		Resource:      proto.String("webim_web_1"),
		ActionVersion: proto.String("v5.1"),
		AuthToken:     []byte(`{"token":"$t$007abc"}`),
		SessionId:     proto.String("1:"),
	}
	m := pack(t, MSync_PROVISION, provision)
	m.Version = MSync_MSYNC_V1.Enum()
	m.Guid = NewJID("org#app", "alice", "webim_web_1")
	m.Auth = proto.String("$t$007abc")
	m.DeviceId = proto.Uint32(0)
	m.EncryptType = []MSync_EncryptType{MSync_ENCRYPT_NONE}
	checkGolden(t, frame, m, provision)
}

func TestGoldenSync(t *testing.T) {
	const id = 1<<63 + 17 // Ids are unsigned and do exceed 2^63.
	body := wire{}.num(1, 1).msg(2, wire{}.str(2, "alice")).msg(3, wire{}.str(2, "bob")).msg(4, wire{}.num(1, 0).str(2, "hello"))
	meta := wire{}.num(1, id).msg(3, wire{}.str(1, "org#app").str(2, "bob").str(3, "easemob.com")).num(5, 1).msg(6, body).num(7, 0)
	frame := wire{}.num(8, 0).msg(9, wire{}.msg(1, meta))

	text, err := proto.Marshal(TextBody("alice", "bob", "hello"))
	if err != nil {
		t.Fatal(err)
	}
	up := &CommSyncUL{Meta: &Meta{
		Id:        proto.Uint64(id),
		To:        NewJID("org#app", "bob", ""),
		Ns:        Meta_CHAT.Enum(),
		Payload:   text,
		Routetype: Meta_ROUTE_ALL.Enum(),
	}}
	checkGolden(t, frame, pack(t, MSync_SYNC, up), up)
}

// checkGolden compares in both directions: m encodes to frame, and frame decodes to m with payload inside.
func checkGolden(t *testing.T, frame wire, m *MSync, payload proto.Message) {
	t.Helper()
	encoded, err := Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]byte(frame), encoded); diff != "" {
		t.Errorf("encoded (-want +got):\n%s", diff)
	}
	decoded, err := Decode(frame)
	if err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(m, decoded) {
		t.Errorf("decoded %v, want %v", decoded, m)
	}
	got := payload.ProtoReflect().New().Interface()
	if err := Payload(decoded, got); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(payload, got) {
		t.Errorf("payload %v, want %v", got, payload)
	}
}

func pack(t testing.TB, cmd MSync_Command, payload proto.Message) *MSync {
	t.Helper()
	m, err := Pack(cmd, payload)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
