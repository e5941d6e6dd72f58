/* handlers.h - one function per message; the tables stand in intake_service.c. */
#ifndef INTAKE_HANDLERS_H
#define INTAKE_HANDLERS_H

#include "daemon/service.h"

extern const struct av_service intake_service;

/* report_handlers.c */
av_handler on_file_report, on_supplement_report;
bool report_receipt_leaf(const Avvik__V1__Event *event, Avvik__V1__ReceiptLeaf *ret_leaf);

/* receipt_handlers.c */
av_handler on_get_receipt, on_verify_receipt;

/* directory_handlers.c */
av_handler on_publish_directory, on_get_directory;

/* rules_handlers.c */
av_handler on_publish_rules, on_get_rules;

/* content_handlers.c */
av_handler on_open_content;
int content_open_parts(void *keystore, struct av_txn *txn, const Avvik__V1__Event *event,
	struct av_arena *arena, Avvik__V1__FeedItem *item);

/* An id as the messages carry it, and back. The bytes are not copied. */
static inline ProtobufCBinaryData binary_of(const struct av_id *id)
{
	return (ProtobufCBinaryData){AV_ID_SIZE, (uint8_t *)(uintptr_t)id->bytes};
}
static inline bool id_of(ProtobufCBinaryData binary, struct av_id *ret_id)
{
	if (binary.len != AV_ID_SIZE)
		return false;
	memcpy(ret_id->bytes, binary.data, AV_ID_SIZE);
	return true;
}
/* protobuf-c's strings are not const, though it never writes to them. */
static inline char *text_of(const char *text)
{
	return (char *)(uintptr_t)text;
}

#endif
