/* handlers.h - the functions behind the tables of main: one per message. */
#ifndef NOTIFICATION_HANDLERS_H
#define NOTIFICATION_HANDLERS_H

#include "daemon/service.h"

/* feed_handlers.c */
int on_case_event(struct av_ctx *ctx, const ProtobufCMessage *body);
int on_case_rules_set(struct av_ctx *ctx, const ProtobufCMessage *body);
int on_reporter_named(struct av_ctx *ctx, const ProtobufCMessage *body);
int on_content_corrected(struct av_ctx *ctx, const ProtobufCMessage *body);
int on_report_filed(struct av_ctx *ctx, const ProtobufCMessage *body);
int on_directory_published(struct av_ctx *ctx, const ProtobufCMessage *body);
int on_rules_published(struct av_ctx *ctx, const ProtobufCMessage *body);
int on_content_erased(struct av_ctx *ctx, const ProtobufCMessage *body);

/* commands.c */
int on_list_notices(struct av_ctx *ctx, const ProtobufCMessage *body);
int on_retry_notice(struct av_ctx *ctx, const ProtobufCMessage *body);

/* delivery.c */
int on_delivery(struct av_ctx *ctx, unsigned int kind, struct av_bytes data);
int on_notices_due(struct av_ctx *ctx, unsigned int limit, bool *ret_more);
int64_t notices_next_due(struct av_txn *txn);

#endif
