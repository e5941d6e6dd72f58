/* turn_world.c - see turn_world.h */
#include "turn_world.h"

#include <string.h>

const struct av_principal publisher = {.name = "publisher", .kind = "publisher", .rights = AV_MAY_PUBLISH};
const struct av_principal other_publisher = {.name = "other", .kind = "publisher", .rights = AV_MAY_PUBLISH};
const struct av_principal administrator = {
	.name = "admin", .kind = "administrator", .rights = AV_MAY_ADMINISTER};
const struct av_principal reader = {.name = "casework", .kind = "case_system", .rights = AV_MAY_CONTENT};

int world_open(void **state)
{
	toy_feed_refuses = toy_apply_fails = toy_directory_refuses = true;
	toy_crashes = 1;
	*state = harness_open(&toy_service, harness_at(START));
	return 0;
}

int world_close(void **state)
{
	struct harness *h = *state;
	harness_close(&h);
	return 0;
}

Avvik__V1__FileReport *world_report(struct harness *h, const char *unit, const char *description)
{
	Avvik__V1__FileReport *report = AV_NEW(h->arena, Avvik__V1__FileReport, avvik__v1__file_report);
	Avvik__V1__ReportNarrative *narrative =
		AV_NEW(h->arena, Avvik__V1__ReportNarrative, avvik__v1__report_narrative);
	report->type = AVVIK__V1__REPORT_TYPE__REPORT_TYPE_DEVIATION;
	report->unit = av_arena_strdup(h->arena, unit);
	narrative->description = av_arena_strdup(h->arena, description);
	report->narrative = narrative;
	return report;
}

Avvik__V1__Reply *world_file(struct harness *h, const char *reference, const char *unit)
{
	return harness_order(h, &publisher, reference, NULL, AVVIK__V1__COMMAND__BODY_FILE_REPORT,
		&world_report(h, unit, "it fell")->base);
}

struct av_bytes world_wire(struct harness *h, const char *reference, const char *unit)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	command.reference = (char *)(uintptr_t)reference;
	av_body_set(
		&command.base, AVVIK__V1__COMMAND__BODY_FILE_REPORT, &world_report(h, unit, "it fell")->base);
	return av_message_pack(&command.base, h->arena);
}

struct av_item world_item(struct harness *h, const char *reference, const char *unit)
{
	return (struct av_item){
		.kind = AV_ITEM_COMMAND,
		.arrived_at_ms = h->now_ms,
		.wire = world_wire(h, reference, unit),
		.principal = &publisher,
	};
}

Avvik__V1__Reply *world_reply(struct harness *h, const struct av_item *item)
{
	ProtobufCMessage *message;
	assert_non_null(item->reply.data);
	struct av_bytes copy =
		av_bytes(av_arena_copy(h->arena, item->reply.data, item->reply.size), item->reply.size);
	assert_int_equal(av_message_load(&avvik__v1__reply__descriptor, copy, h->arena, &message), AV_OK);
	return (Avvik__V1__Reply *)message;
}

Avvik__V1__Event *world_event(struct harness *h, const char *unit, const struct av_id *case_id)
{
	Avvik__V1__ReportFiled *filed = AV_NEW(h->arena, Avvik__V1__ReportFiled, avvik__v1__report_filed);
	filed->unit = av_arena_strdup(h->arena, unit);
	return harness_event(h, AVVIK__V1__EVENT__BODY_REPORT_FILED, &filed->base, case_id, 0);
}

Avvik__V1__Event *world_directory_event(struct harness *h)
{
	Avvik__V1__DirectoryPublished *body =
		AV_NEW(h->arena, Avvik__V1__DirectoryPublished, avvik__v1__directory_published);
	return harness_event(h, AVVIK__V1__EVENT__BODY_DIRECTORY_PUBLISHED, &body->base, NULL, 0);
}

struct av_id world_case(unsigned char number)
{
	struct av_id id = {{0x01, 0x97, 0x0a, 0x1b, 0x2c, 0x3d, 0x70, 0, 0x80}};
	id.bytes[15] = number;
	return id;
}

uint64_t world_filed(struct harness *h, const char *unit)
{
	struct av_txn *txn = harness_read(h);
	uint64_t count = toy_filed(txn, unit);
	av_txn_abort(&txn);
	return count;
}

uint64_t world_placed(struct harness *h, const struct av_id *case_id)
{
	struct av_txn *txn = harness_read(h);
	uint64_t count = toy_placed(txn, case_id);
	av_txn_abort(&txn);
	return count;
}

Avvik__V1__QuarantineFound *world_quarantine(struct harness *h)
{
	Avvik__V1__ListQuarantine ask = AVVIK__V1__LIST_QUARANTINE__INIT;
	Avvik__V1__Reply *reply = harness_order(
		h, &administrator, NULL, NULL, AVVIK__V1__COMMAND__BODY_LIST_QUARANTINE, &ask.base);
	harness_want(reply, STATUS(DONE));
	return reply->quarantine_found;
}

Avvik__V1__Reply *world_resolve(struct harness *h, const char *reference, uint64_t sequence, bool retry)
{
	Avvik__V1__ResolveQuarantine order = AVVIK__V1__RESOLVE_QUARANTINE__INIT;
	order.feed = (char *)(uintptr_t)TOY_FEED;
	order.sequence = sequence;
	order.action = retry ? AVVIK__V1__QUARANTINE_ACTION__QUARANTINE_ACTION_RETRY
			     : AVVIK__V1__QUARANTINE_ACTION__QUARANTINE_ACTION_DROP;
	order.reason = (char *)(uintptr_t) "put right";
	return harness_order(
		h, &administrator, reference, NULL, AVVIK__V1__COMMAND__BODY_RESOLVE_QUARANTINE, &order.base);
}

Avvik__V1__Reply *world_resolve_feed(struct harness *h, const char *reference, Avvik__V1__FeedAction action)
{
	Avvik__V1__ResolveFeed order = AVVIK__V1__RESOLVE_FEED__INIT;
	order.feed = (char *)(uintptr_t)TOY_FEED;
	order.action = action;
	order.reason = (char *)(uintptr_t) "looked at it";
	return harness_order(
		h, &administrator, reference, NULL, AVVIK__V1__COMMAND__BODY_RESOLVE_FEED, &order.base);
}
