/* daemon_follow.c - a row of steps does not know what a daemon will answer: versions, measures, deadlines,
 * grants, receipts are filled in from what came before. */
#include "daemon_inner.h"

#include <string.h>

const struct av_principal *principal_of(const struct step *step)
{
	return step->who < AV_COUNT(fuzz.principals) ? &fuzz.principals[step->who] : NULL;
}
/* The ids of the newest events are known to the mutator and to later steps. */
void look_at_events(void)
{
	struct av_txn *txn = harness_read(fuzz.h);
	struct av_bytes packed;
	while (av_journal_read(txn, fuzz.seen + 1, &packed, NULL) == AV_OK) {
		ProtobufCMessage *message;
		fuzz.seen++;
		if (av_message_load(&avvik__v1__event__descriptor, packed, fuzz.h->arena, &message) != AV_OK)
			continue;
		const Avvik__V1__Event *event = (const Avvik__V1__Event *)message;
		mutate_remember(message);
		if (event->case_id.len == AV_ID_SIZE)
			memcpy(fuzz.case_id.bytes, event->case_id.data, AV_ID_SIZE);
		if (event->body_case == AVVIK__V1__EVENT__BODY_REPORT_FILED && event->report_filed->content &&
			event->report_filed->content->content_id.len == AV_ID_SIZE)
			memcpy(fuzz.content_id.bytes, event->report_filed->content->content_id.data,
				AV_ID_SIZE);
	}
	av_txn_abort(&txn);
}

/* Of the grants of a reply the one that this daemon opens content for. */
static Avvik__V1__Grant *grant_here(const Avvik__V1__GrantIssued *issued)
{
	for (size_t i = 0; i < issued->n_grants; i++) {
		ProtobufCMessage *message;
		Avvik__V1__Grant *grant = issued->grants[i];
		if (av_message_load(&avvik__v1__grant_body__descriptor,
			    av_bytes(grant->body.data, grant->body.len), fuzz.h->arena, &message) != AV_OK)
			continue;
		const Avvik__V1__GrantBody *body = (const Avvik__V1__GrantBody *)message;
		mutate_remember(message);
		if (body->n_items > 0 && strcmp(body->items[0]->holder, fuzz.h->service->name) == 0)
			return grant;
	}
	return NULL;
}

/* The last of a list that still runs: what falls due late can be stopped and extended. */
static void note_deadline(const Avvik__V1__DeadlinesFound *found)
{
	for (size_t i = found->n_deadlines; i-- > 0;) {
		const Avvik__V1__Deadline *deadline = found->deadlines[i];
		if (deadline->state == AVVIK__V1__DEADLINE_STATE__DEADLINE_STATE_RUNNING &&
			deadline->deadline_id.len == AV_ID_SIZE) {
			memcpy(fuzz.deadline_id.bytes, deadline->deadline_id.data, AV_ID_SIZE);
			return;
		}
	}
}

void note_reply(const Avvik__V1__Reply *reply)
{
	if (!fuzz.looking)
		mutate_remember(&reply->base);
	if (reply->body_case == AVVIK__V1__REPLY__BODY_GRANT_ISSUED)
		fuzz.grant = grant_here(reply->grant_issued);
	if (fuzz.telling && reply->body_case == AVVIK__V1__REPLY__BODY_QUARANTINE_FOUND)
		for (size_t i = 0; i < reply->quarantine_found->n_items; i++)
			fprintf(stderr, "    %s: %s\n", reply->quarantine_found->items[i]->event,
				reply->quarantine_found->items[i]->cause);
	if (reply->body_case == AVVIK__V1__REPLY__BODY_REPORT_ACCEPTED && reply->report_accepted->receipt)
		fuzz.receipt = reply->report_accepted->receipt;
	if (reply->body_case == AVVIK__V1__REPLY__BODY_ACT_ACCEPTED &&
		reply->act_accepted->measure_id.len == AV_ID_SIZE)
		memcpy(fuzz.measure_id.bytes, reply->act_accepted->measure_id.data, AV_ID_SIZE);
	if (reply->body_case == AVVIK__V1__REPLY__BODY_DEADLINES_FOUND)
		note_deadline(reply->deadlines_found);
}

ProtobufCBinaryData data_of(struct av_id *id)
{
	return (ProtobufCBinaryData){AV_ID_SIZE, av_arena_copy(fuzz.h->arena, id->bytes, AV_ID_SIZE)};
}

/* An id that the row of steps cannot know: none, or all zero. */
static bool unknown(ProtobufCBinaryData id)
{
	static const unsigned char zero[AV_ID_SIZE];
	return id.len == 0 || (id.len == AV_ID_SIZE && memcmp(id.data, zero, AV_ID_SIZE) == 0);
}

/* In the act: its one field that is set. */
static void follow_id(Avvik__V1__ActOnCase *act, const char *name, struct av_id *id)
{
	const ProtobufCMessageDescriptor *type = act->base.descriptor;
	for (unsigned int i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		if (field->type != PROTOBUF_C_TYPE_MESSAGE || field->label == PROTOBUF_C_LABEL_REPEATED ||
			(uint32_t)act->act_case != field->id)
			continue;
		ProtobufCMessage *body = *(ProtobufCMessage **)((char *)act + field->offset);
		const ProtobufCFieldDescriptor *found =
			body ? protobuf_c_message_descriptor_get_field_by_name(body->descriptor, name) : NULL;
		ProtobufCBinaryData *at =
			found ? (ProtobufCBinaryData *)((char *)body + found->offset) : NULL;
		if (at && unknown(*at))
			*at = data_of(id);
	}
}

static void follow_case(Avvik__V1__ActOnCase *act)
{
	Avvik__V1__GetCase get = AVVIK__V1__GET_CASE__INIT;
	if (unknown(act->case_id))
		act->case_id = data_of(&fuzz.case_id);
	get.case_id = act->case_id;
	const Avvik__V1__Reply *reply =
		harness_order(fuzz.h, &fuzz.principals[0], NULL, NULL, COMMAND(GET_CASE), &get.base);
	if (reply->status == REPLY(DONE))
		act->version_seen = reply->case_found->case_->version;
	follow_id(act, "measure_id", &fuzz.measure_id);
	follow_id(act, "deadline_id", &fuzz.deadline_id);
}

/* The last grant that was given, or one that workflow could have signed. */
static void follow_grant(
	Avvik__V1__OpenContent *open, const Avvik__V1__Command *command, const struct av_principal *principal)
{
	ProtobufCMessage *message;
	struct harness *h = fuzz.h;
	if (!open->grant || !principal ||
		av_message_load(&avvik__v1__grant_body__descriptor,
			av_bytes(open->grant->body.data, open->grant->body.len), h->arena, &message) != AV_OK)
		return;
	Avvik__V1__GrantBody *body = (Avvik__V1__GrantBody *)message;
	if (fuzz.grant && body->n_items == 0) {
		open->grant = fuzz.grant;
		return;
	}
	if (unknown(body->case_id))
		body->case_id = data_of(&fuzz.case_id);
	for (size_t i = 0; i < body->n_items; i++)
		if (unknown(body->items[i]->content_id))
			body->items[i]->content_id = data_of(&fuzz.content_id);
	body->principal = TEXT(principal->name);
	body->person = command->on_behalf_of;
	body->instance = h->settings.instance;
	body->expires_at_ms = h->now_ms + 60000;
	struct av_bytes packed = av_message_pack(message, h->arena);
	unsigned char *signature = av_arena_alloc(h->arena, AV_SIGNATURE_SIZE);
	av_sign(h->grant_secret, "avvik grant v1", packed, signature);
	open->grant->body = (ProtobufCBinaryData){packed.size, (uint8_t *)(uintptr_t)packed.data};
	open->grant->signature = (ProtobufCBinaryData){AV_SIGNATURE_SIZE, signature};
}

static bool receipt_empty(const Avvik__V1__VerifyReceipt *verify)
{
	return !verify->receipt || !verify->receipt->leaf || unknown(verify->receipt->leaf->report_id);
}

struct av_bytes followed(const struct step *step)
{
	struct harness *h = fuzz.h;
	ProtobufCMessage *message;
	if (!step->follow ||
		av_message_load(&avvik__v1__command__descriptor, step->body, h->arena, &message) != AV_OK)
		return step->body;
	Avvik__V1__Command *command = (Avvik__V1__Command *)message;
	if (command->body_case == COMMAND(ACT_ON_CASE) && strcmp(h->service->name, "workflow") == 0)
		follow_case(command->act_on_case);
	else if (command->body_case == COMMAND(OPEN_CONTENT))
		follow_grant(command->open_content, command, principal_of(step));
	else if (command->body_case == COMMAND(SUPPLEMENT_REPORT) &&
		 unknown(command->supplement_report->report_id))
		command->supplement_report->report_id = data_of(&fuzz.case_id);
	else if (command->body_case == COMMAND(VERIFY_RECEIPT) && fuzz.receipt &&
		 receipt_empty(command->verify_receipt))
		command->verify_receipt->receipt = fuzz.receipt;
	else
		return step->body;
	return av_message_pack(message, h->arena);
}
