/* intake_content.c - sealed content: opened once with workflow's grant, journalled, and erased so that the
 * chain still holds */
#include "intake_world.h"

#define PART(name) AVVIK__V1__CONTENT_PART__CONTENT_PART_##name
#define KIND(name) AVVIK__V1__GRANT_KIND__GRANT_KIND_##name
#define PERSON "saga.samordnare"

struct filed {
	ProtobufCBinaryData case_id, content_id;
};

static struct filed file(struct world *w, const char *reference)
{
	harness_want(world_file(w, &w->publisher, reference, world_report(w)), REPLY(DONE));
	const Avvik__V1__Event *event = harness_last(w->h, EVENT(REPORT_FILED));
	return (struct filed){event->case_id, event->report_filed->content->content_id};
}

/* A grant as workflow makes it, for all parts of one content. */
static Avvik__V1__GrantBody *grant_body(struct world *w, int kind, struct filed filed)
{
	Avvik__V1__GrantBody *body = AV_NEW(w->h->arena, Avvik__V1__GrantBody, avvik__v1__grant_body);
	Avvik__V1__ContentItem *item = AV_NEW(w->h->arena, Avvik__V1__ContentItem, avvik__v1__content_item);
	unsigned char *id = av_arena_alloc(w->h->arena, AV_ID_SIZE);
	av_random_fill(&w->h->random, id, AV_ID_SIZE);
	body->grant_id = (ProtobufCBinaryData){AV_ID_SIZE, id};
	body->kind = (Avvik__V1__GrantKind)kind;
	body->case_id = filed.case_id;
	body->items = av_arena_copy(w->h->arena, &item, sizeof(item));
	body->n_items = 1;
	item->content_id = filed.content_id;
	item->holder = TEXT("intake");
	body->principal = TEXT("cases");
	body->person = TEXT(PERSON);
	body->purpose = TEXT("utredning");
	body->expires_at_ms = w->h->now_ms + 60000;
	body->instance = w->h->settings.instance;
	return body;
}

static Avvik__V1__Reply *present(struct world *w, const Avvik__V1__GrantBody *body, const char *person)
{
	Avvik__V1__OpenContent order = AVVIK__V1__OPEN_CONTENT__INIT;
	Avvik__V1__Grant grant = AVVIK__V1__GRANT__INIT;
	unsigned char signature[AV_SIGNATURE_SIZE];
	struct av_bytes packed = av_message_pack(&body->base, w->h->arena);
	av_sign(w->h->grant_secret, AV_GRANT_CONTEXT, packed, signature);
	grant.body = (ProtobufCBinaryData){packed.size, (uint8_t *)(uintptr_t)packed.data};
	grant.signature = (ProtobufCBinaryData){sizeof(signature), signature};
	order.grant = &grant;
	return harness_order(w->h, &w->case_system, "o-1", person, COMMAND(OPEN_CONTENT), &order.base);
}

static const Avvik__V1__OpenedPart *part_of(const Avvik__V1__OpenedItem *item, int part)
{
	for (size_t i = 0; i < item->n_parts; i++)
		if ((int)item->parts[i]->part == part)
			return item->parts[i];
	return NULL;
}

static void a_grant_opens_the_report_once_and_says_so(void **state)
{
	struct world *w = *state;
	struct filed filed = file(w, "r-1");
	Avvik__V1__GrantBody *body = grant_body(w, KIND(READ), filed);
	Avvik__V1__Reply *reply = present(w, body, PERSON);
	harness_want(reply, REPLY(DONE));
	assert_int_equal(reply->opened_content->n_items, 1);
	const Avvik__V1__OpenedItem *item = reply->opened_content->items[0];
	assert_false(item->erased);
	assert_int_equal(item->n_parts, 3);
	assert_null(part_of(item, PART(CONTACT))); /* for notification alone */
	const Avvik__V1__OpenedPart *part = part_of(item, PART(NARRATIVE));
	Avvik__V1__ReportNarrative *narrative =
		avvik__v1__report_narrative__unpack(NULL, part->body.len, part->body.data);
	assert_string_equal(narrative->description, SECRET_EVENT);
	assert_int_equal(narrative->n_attachment_references, 1);
	assert_string_equal(narrative->attachment_references[0], "dok/7");
	avvik__v1__report_narrative__free_unpacked(narrative, NULL);
	part = part_of(item, PART(REPORTER));
	Avvik__V1__Reporter *reporter = avvik__v1__reporter__unpack(NULL, part->body.len, part->body.data);
	assert_string_equal(reporter->name, SECRET_REPORTER);
	avvik__v1__reporter__free_unpacked(reporter, NULL);

	Avvik__V1__Event *event = harness_last(w->h, EVENT(CONTENT_READ));
	assert_memory_equal(event->case_id.data, filed.case_id.data, AV_ID_SIZE);
	assert_memory_equal(event->content_read->grant_id.data, body->grant_id.data, AV_ID_SIZE);
	assert_string_equal(event->content_read->person, PERSON);
	assert_string_equal(event->content_read->purpose, "utredning");
	assert_string_equal(event->actor->person, PERSON);
	assert_false(world_journal_holds(w, SECRET_EVENT));

	harness_want(present(w, body, PERSON), REPLY(FORBIDDEN)); /* used */
	assert_int_equal(harness_count(w->h, EVENT(CONTENT_READ), 0), 1);
	harness_check_replay(w->h);
}

static void only_the_parts_that_are_granted_are_opened(void **state)
{
	struct world *w = *state;
	Avvik__V1__GrantBody *body = grant_body(w, KIND(READ), file(w, "r-1"));
	Avvik__V1__ContentPart parts[] = {PART(PERSONS), PART(CONTACT)};
	body->items[0]->n_parts = 2;
	body->items[0]->parts = parts;
	Avvik__V1__Reply *reply = present(w, body, PERSON);
	harness_want(reply, REPLY(DONE));
	assert_int_equal(reply->opened_content->items[0]->n_parts, 1);
	const Avvik__V1__OpenedPart *part = part_of(reply->opened_content->items[0], PART(PERSONS));
	Avvik__V1__ReportPersons *persons =
		avvik__v1__report_persons__unpack(NULL, part->body.len, part->body.data);
	assert_string_equal(persons->affected[0]->name, SECRET_PERSON);
	avvik__v1__report_persons__free_unpacked(persons, NULL);
}

static void what_was_no_code_is_read_with_the_narrative(void **state)
{
	struct world *w = *state;
	Avvik__V1__FileReport *report = world_report(w);
	report->unit = TEXT("hos Berta");
	harness_want(world_file(w, &w->publisher, "r-1", report), REPLY(DONE));
	const Avvik__V1__Event *event = harness_last(w->h, EVENT(REPORT_FILED));
	struct filed filed = {event->case_id, event->report_filed->content->content_id};
	Avvik__V1__Reply *reply = present(w, grant_body(w, KIND(READ), filed), PERSON);
	const Avvik__V1__OpenedPart *part = part_of(reply->opened_content->items[0], PART(NARRATIVE));
	Avvik__V1__ReportNarrative *narrative =
		avvik__v1__report_narrative__unpack(NULL, part->body.len, part->body.data);
	assert_int_equal(narrative->n_unread, 1);
	assert_string_equal(narrative->unread[0]->path, "unit");
	assert_string_equal(narrative->unread[0]->value, "hos Berta");
	avvik__v1__report_narrative__free_unpacked(narrative, NULL);
}

static void a_grant_that_does_not_fit_opens_nothing_and_leaves_no_trace(void **state)
{
	struct world *w = *state;
	struct filed filed = file(w, "r-1"), other = file(w, "r-2");
	unsigned char before[32], after[32];
	harness_fingerprint(w->h, before);

	Avvik__V1__GrantBody *body = grant_body(w, KIND(READ), filed);
	harness_want(present(w, body, "ulla.utredstrom"), REPLY(FORBIDDEN));
	body = grant_body(w, KIND(READ), filed);
	body->expires_at_ms = w->h->now_ms;
	harness_want(present(w, body, PERSON), REPLY(FORBIDDEN));
	body = grant_body(w, KIND(READ), filed);
	body->principal = TEXT("another");
	harness_want(present(w, body, PERSON), REPLY(FORBIDDEN));
	body = grant_body(
		w, KIND(READ), (struct filed){filed.case_id, other.content_id}); /* of another case */
	harness_want(present(w, body, PERSON), REPLY(NOT_FOUND));
	body = grant_body(w, KIND(READ), filed);
	body->items[0]->holder = TEXT("workflow");
	harness_want(present(w, body, PERSON), REPLY(NOT_FOUND));
	body = grant_body(w, KIND(UNSPECIFIED), filed);
	harness_want(present(w, body, PERSON), REPLY(INVALID));
	memcpy(w->h->grant_secret, w->h->sign_secret, sizeof(w->h->grant_secret)); /* not workflow's */
	harness_want(present(w, grant_body(w, KIND(READ), filed), PERSON), REPLY(FORBIDDEN));

	harness_fingerprint(w->h, after);
	assert_memory_equal(before, after, sizeof(before));
}

static Avvik__V1__Receipt *receipt_of(struct world *w, struct filed filed)
{
	Avvik__V1__GetReceipt query = AVVIK__V1__GET_RECEIPT__INIT;
	query.report_id = filed.case_id;
	Avvik__V1__Reply *reply = world_ask(w, &w->publisher, COMMAND(GET_RECEIPT), &query.base);
	harness_want(reply, REPLY(DONE));
	return reply->receipt_found->receipts[0];
}

static void erased_content_is_gone_and_the_receipt_still_holds(void **state)
{
	struct world *w = *state;
	const char *text;
	struct filed filed = file(w, "r-1");
	Avvik__V1__GrantBody *body = grant_body(w, KIND(ERASE), filed);
	body->purpose = TEXT("gallring");
	Avvik__V1__Reply *reply = present(w, body, PERSON);
	harness_want(reply, REPLY(DONE));
	assert_int_equal(reply->content_erasure->n_content_ids, 1);
	assert_false(reply->content_erasure->destruction_complete);
	const Avvik__V1__Event *event = harness_last(w->h, EVENT(CONTENT_ERASED));
	assert_memory_equal(event->content_erased->content_id.data, filed.content_id.data, AV_ID_SIZE);
	assert_string_equal(event->content_erased->reason, "gallring");
	assert_string_equal(event->content_erased->person, PERSON);
	assert_true(event->content_erased->key_number > 0);
	assert_memory_equal(event->case_id.data, filed.case_id.data, AV_ID_SIZE);

	harness_upkeep(w->h);
	reply = present(w, grant_body(w, KIND(READ), filed), PERSON);
	harness_want(reply, REPLY(DONE));
	assert_true(reply->opened_content->items[0]->erased);
	assert_int_equal(reply->opened_content->items[0]->n_parts, 0);

	Avvik__V1__Receipt *receipt = receipt_of(w, filed);
	assert_true(receipt->erased);
	assert_int_equal(receipt->blinding.len, 0);
	assert_int_equal(
		av_receipt_check(receipt, w->h->sign_public, av_bytes(NULL, 0), w->h->arena, &text), AV_OK);

	/* once more: there is nothing left to do, and the key is destroyed */
	reply = present(w, grant_body(w, KIND(ERASE), filed), PERSON);
	harness_want(reply, REPLY(DONE));
	assert_true(reply->content_erasure->destruction_complete);
	assert_int_equal(harness_count(w->h, EVENT(CONTENT_ERASED), 0), 1);
	harness_check_replay(w->h);
}

static void a_repetition_after_erasure_gets_the_old_receipt_marked_erased(void **state)
{
	struct world *w = *state;
	struct filed filed = file(w, "r-1");
	harness_want(present(w, grant_body(w, KIND(ERASE), filed), PERSON), REPLY(DONE));
	Avvik__V1__Reply *reply = world_file(w, &w->publisher, "r-1", world_report(w));
	harness_want(reply, REPLY(DONE));
	assert_true(reply->repeated);
	assert_true(reply->report_accepted->erased);
	assert_memory_equal(reply->report_accepted->report_id.data, filed.case_id.data, AV_ID_SIZE);
	assert_int_equal(harness_count(w->h, EVENT(REPORT_FILED), 0), 1);
}

static void an_erased_report_can_be_supplemented_and_the_supplement_is_read(void **state)
{
	struct world *w = *state;
	struct filed filed = file(w, "r-1");
	harness_want(present(w, grant_body(w, KIND(ERASE), filed), PERSON), REPLY(DONE));
	Avvik__V1__SupplementReport supplement = AVVIK__V1__SUPPLEMENT_REPORT__INIT;
	Avvik__V1__ReportNarrative narrative = AVVIK__V1__REPORT_NARRATIVE__INIT;
	narrative.description = TEXT("efteråt");
	supplement.report_id = filed.case_id;
	supplement.narrative = &narrative;
	harness_want(
		harness_order(w->h, &w->publisher, "s-1", NULL, COMMAND(SUPPLEMENT_REPORT), &supplement.base),
		REPLY(DONE));
	struct filed added = {filed.case_id,
		harness_last(w->h, EVENT(REPORT_SUPPLEMENTED))->report_supplemented->content->content_id};
	Avvik__V1__Reply *reply = present(w, grant_body(w, KIND(READ), added), PERSON);
	harness_want(reply, REPLY(DONE));
	assert_int_equal(reply->opened_content->items[0]->n_parts, 1);
	harness_check_replay(w->h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(a_grant_opens_the_report_once_and_says_so),
		world_test(only_the_parts_that_are_granted_are_opened),
		world_test(what_was_no_code_is_read_with_the_narrative),
		world_test(a_grant_that_does_not_fit_opens_nothing_and_leaves_no_trace),
		world_test(erased_content_is_gone_and_the_receipt_still_holds),
		world_test(a_repetition_after_erasure_gets_the_old_receipt_marked_erased),
		world_test(an_erased_report_can_be_supplemented_and_the_supplement_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
