package msync

// DeliveryAck builds the body that tells the sender of message id (the service's id) that it has arrived (protocol.md b.4).
func DeliveryAck(from, to string, id uint64) *MessageBody {
	return &MessageBody{
		Type: MessageBody_DELIVER_ACK.Enum(), From: &JID{Name: &from}, To: &JID{Name: &to}, AckMessageId: &id,
		Contents: []*MessageBody_Content{{Type: MessageBody_Content_TEXT.Enum()}},
	}
}
