/* turn_commands.c - commands in turns: repetition, conflict, refusal, rights, replies */
#include <string.h>

#include "turn_world.h"

static void a_repetition_gets_the_reply_that_the_first_got(void **state)
{
	struct harness *h = *state;
	Avvik__V1__Reply *first = world_file(h, "r1", "north");
	uint64_t head = harness_head(h);
	harness_want(first, STATUS(DONE));
	assert_false(first->repeated);
	h->now_ms += 60000;
	Avvik__V1__Reply *again = world_file(h, "r1", "north");
	harness_want(again, STATUS(DONE));
	assert_true(again->repeated);
	assert_int_equal(harness_head(h), head);
	assert_int_equal(world_filed(h, "north"), 1);
	/* Byte for byte, but for `repeated`: the receipt, made again from the journal, is the same too. */
	again->repeated = false;
	struct av_bytes a = av_message_pack(&first->base, h->arena),
			b = av_message_pack(&again->base, h->arena);
	assert_true(av_bytes_equal(a, b));
}

static void a_repetition_is_judged_on_the_body_alone(void **state)
{
	struct harness *h = *state;
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	command.reference = (char *)(uintptr_t) "r1";
	command.message_id = (char *)(uintptr_t) "m1";
	av_body_set(&command.base, AVVIK__V1__COMMAND__BODY_FILE_REPORT,
		&world_report(h, "north", "it fell")->base);
	harness_want(harness_command(h, &publisher, &command), STATUS(DONE));
	command.message_id = (char *)(uintptr_t) "m2";
	command.sent_at_ms = h->now_ms;
	command.trace_parent = (char *)(uintptr_t) "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
	Avvik__V1__Reply *again = harness_command(h, &publisher, &command);
	harness_want(again, STATUS(DONE));
	assert_true(again->repeated);
	assert_string_equal(again->message_id, "m2");
}

static void another_content_under_a_known_reference_is_a_conflict(void **state)
{
	struct harness *h = *state;
	unsigned char before[32], after[32];
	harness_want(world_file(h, "r1", "north"), STATUS(DONE));
	harness_fingerprint(h, before);
	Avvik__V1__Reply *reply = world_file(h, "r1", "south");
	harness_want(reply, STATUS(CONFLICT));
	assert_int_equal(reply->n_faults, 1);
	assert_string_equal(reply->faults[0]->path, "reference");
	harness_fingerprint(h, after);
	assert_memory_equal(before, after, 32);
}

static void a_reference_belongs_to_its_sender(void **state)
{
	struct harness *h = *state;
	harness_want(world_file(h, "r1", "north"), STATUS(DONE));
	Avvik__V1__Reply *reply = harness_order(h, &other_publisher, "r1", NULL,
		AVVIK__V1__COMMAND__BODY_FILE_REPORT, &world_report(h, "south", "another")->base);
	harness_want(reply, STATUS(DONE));
	assert_false(reply->repeated);
}

static void of_two_equal_references_in_one_batch_the_second_sees_the_first(void **state)
{
	struct harness *h = *state;
	struct av_item items[] = {
		world_item(h, "r1", "north"), world_item(h, "r1", "north"), world_item(h, "r1", "south")};
	uint64_t head = harness_head(h);
	assert_int_equal(harness_run(h, items, 3), AV_OK);
	Avvik__V1__Reply *first = world_reply(h, &items[0]), *second = world_reply(h, &items[1]);
	harness_want(first, STATUS(DONE));
	harness_want(second, STATUS(DONE));
	harness_want(world_reply(h, &items[2]), STATUS(CONFLICT));
	assert_true(second->repeated);
	assert_int_equal(harness_head(h), head + 1);
	second->repeated = false;
	assert_true(av_bytes_equal(
		av_message_pack(&first->base, h->arena), av_message_pack(&second->base, h->arena)));
}

static void a_refusal_leaves_no_trace(void **state)
{
	struct harness *h = *state;
	unsigned char before[32], after[32];
	harness_want(world_file(h, "r0", "north"), STATUS(DONE));
	harness_fingerprint(h, before);
	Avvik__V1__Reply *reply = world_file(h, "r1", "refused");
	harness_want(reply, STATUS(INVALID));
	assert_string_equal(reply->faults[0]->path, "unit");
	assert_string_equal(reply->reference, "r1");
	harness_fingerprint(h, after);
	assert_memory_equal(before, after, 32);
	/* Also among others that stand. */
	struct av_item items[] = {
		world_item(h, "r2", "north"), world_item(h, "r1", "refused"), world_item(h, "r3", "north")};
	assert_int_equal(harness_run(h, items, 3), AV_OK);
	assert_int_equal(h->result.events, 2);
	assert_int_equal(h->result.refused, 1);
	assert_int_equal(world_filed(h, "refused"), 0);
	assert_int_equal(world_filed(h, "north"), 3);
	/* And it may be sent again, put right. */
	harness_want(world_file(h, "r1", "south"), STATUS(DONE));
}

static void faulty_circumstances_are_kept_and_listed(void **state)
{
	struct harness *h = *state;
	Avvik__V1__FileReport *report = world_report(h, "north", "it fell");
	report->category = (char *)(uintptr_t) "unheard-of";
	for (int i = 0; i < 2; i++) { /* the repetition lists them too */
		Avvik__V1__Reply *reply = harness_order(
			h, &publisher, "r1", NULL, AVVIK__V1__COMMAND__BODY_FILE_REPORT, &report->base);
		harness_want(reply, STATUS(DONE));
		assert_int_equal(reply->n_faults, 1);
		assert_string_equal(reply->faults[0]->path, "category");
	}
	assert_int_equal(world_filed(h, "north"), 1);
}

static void an_order_without_a_reference_is_refused_by_that_name(void **state)
{
	struct harness *h = *state;
	Avvik__V1__Reply *reply = world_file(h, NULL, "north");
	harness_want(reply, STATUS(INVALID));
	assert_int_equal(reply->n_faults, 1);
	assert_string_equal(reply->faults[0]->path, "reference");
}

static void who_lacks_the_right_is_told_which(void **state)
{
	struct harness *h = *state;
	Avvik__V1__Reply *reply = harness_order(h, &administrator, "r1", NULL,
		AVVIK__V1__COMMAND__BODY_FILE_REPORT, &world_report(h, "north", "it fell")->base);
	harness_want(reply, STATUS(FORBIDDEN));
	assert_non_null(strstr(reply->text, "publish"));
	assert_string_equal(reply->reference, "r1");
}

static void a_key_that_is_no_longer_allowed_is_refused_in_the_turn(void **state)
{
	struct harness *h = *state;
	struct av_item item = world_item(h, "r1", "north");
	item.principal = NULL;
	assert_int_equal(harness_run(h, &item, 1), AV_OK);
	harness_want(world_reply(h, &item), STATUS(FORBIDDEN));
	assert_int_equal(world_filed(h, "north"), 0);
}

static void what_cannot_be_read_is_answered(void **state)
{
	struct harness *h = *state;
	harness_want(harness_wire(h, &publisher, av_bytes("\xff\xff\xff", 3)), STATUS(MALFORMED));
	harness_want(harness_wire(h, &publisher, av_bytes("", 0)), STATUS(UNSUPPORTED));
	/* A frame that is cut off, with its reference still readable. */
	struct av_bytes wire = world_wire(h, "r1", "north");
	Avvik__V1__Reply *reply = harness_wire(h, &publisher, av_bytes(wire.data, wire.size - 3));
	harness_want(reply, STATUS(MALFORMED));
	/* A message that this daemon does not answer. */
	Avvik__V1__GetRules ask = AVVIK__V1__GET_RULES__INIT;
	harness_want(harness_order(h, &publisher, "r2", NULL, AVVIK__V1__COMMAND__BODY_GET_RULES, &ask.base),
		STATUS(UNSUPPORTED));
}

static void a_grant_is_used_once_by_the_one_it_was_given_to(void **state)
{
	struct harness *h = *state;
	harness_want(world_file(h, "r1", "north"), STATUS(DONE));
	Avvik__V1__Event *filed = harness_last(h, AVVIK__V1__EVENT__BODY_REPORT_FILED);
	Avvik__V1__ContentItem content = AVVIK__V1__CONTENT_ITEM__INIT, *contents[] = {&content};
	Avvik__V1__GrantBody body = AVVIK__V1__GRANT_BODY__INIT;
	Avvik__V1__Grant grant = AVVIK__V1__GRANT__INIT;
	Avvik__V1__OpenContent open = AVVIK__V1__OPEN_CONTENT__INIT;
	unsigned char signature[64];
	struct av_id grant_id = world_case(9);
	content.content_id = filed->report_filed->content->content_id;
	body.grant_id = (ProtobufCBinaryData){16, grant_id.bytes};
	body.kind = AVVIK__V1__GRANT_KIND__GRANT_KIND_READ;
	body.n_items = 1;
	body.items = contents;
	body.principal = (char *)(uintptr_t) "casework";
	body.person = (char *)(uintptr_t) "anna";
	body.instance = (char *)(uintptr_t) "test";
	body.expires_at_ms = h->now_ms + 60000;
	struct av_bytes packed = av_message_pack(&body.base, h->arena);
	av_sign(h->grant_secret, "avvik grant v1", packed, signature);
	grant.body = (ProtobufCBinaryData){packed.size, (uint8_t *)(uintptr_t)packed.data};
	grant.signature = (ProtobufCBinaryData){64, signature};
	open.grant = &grant;
	unsigned int number = AVVIK__V1__COMMAND__BODY_OPEN_CONTENT;
	harness_want(harness_order(h, &reader, NULL, "bo", number, &open.base), STATUS(FORBIDDEN));
	h->now_ms += 60000;
	harness_want(
		harness_order(h, &reader, NULL, "anna", number, &open.base), STATUS(FORBIDDEN)); /* expired */
	h->now_ms -= 30000;
	harness_want(harness_order(h, &reader, NULL, "anna", number, &open.base), STATUS(DONE));
	harness_want(
		harness_order(h, &reader, NULL, "anna", number, &open.base), STATUS(FORBIDDEN)); /* used */
	signature[0] ^= 1;
	Avvik__V1__Reply *forged = harness_order(h, &reader, NULL, "anna", number, &open.base);
	harness_want(forged, STATUS(FORBIDDEN));
	assert_non_null(strstr(forged->text, "signed"));
	harness_check_replay(h);
}

static void events_carry_who_why_and_when(void **state)
{
	struct harness *h = *state;
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	unsigned char trace[16];
	command.reference = (char *)(uintptr_t) "r1";
	command.on_behalf_of = (char *)(uintptr_t) "anna";
	command.trace_parent = (char *)(uintptr_t) "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
	av_body_set(&command.base, AVVIK__V1__COMMAND__BODY_FILE_REPORT,
		&world_report(h, "north", "it fell")->base);
	harness_want(harness_command(h, &publisher, &command), STATUS(DONE));
	Avvik__V1__Event *event = harness_last(h, 0);
	assert_int_equal(av_unhex("0af7651916cd43dd8448eb211c80319c", trace, 16), AV_OK);
	assert_int_equal(event->trace_id.len, 16);
	assert_memory_equal(event->trace_id.data, trace, 16);
	assert_string_equal(event->actor->principal, "publisher");
	assert_string_equal(event->actor->person, "anna");
	assert_int_equal(event->recorded_at_ms, h->now_ms);
	assert_int_equal(event->sequence, harness_head(h));
	assert_int_equal(event->schema, 1);
	assert_int_equal(event->event_id.len, 16);
}

static void events_are_found_by_case_and_in_pages(void **state)
{
	struct harness *h = *state;
	static const struct av_principal asker = {.name = "admin", .rights = AV_MAY_ADMINISTER};
	for (int i = 0; i < 5; i++)
		harness_want(world_file(h, av_arena_printf(h->arena, "r%d", i), "north"), STATUS(DONE));
	Avvik__V1__GetEvents ask = AVVIK__V1__GET_EVENTS__INIT;
	ask.limit = 4;
	Avvik__V1__Reply *reply =
		harness_order(h, &asker, NULL, NULL, AVVIK__V1__COMMAND__BODY_GET_EVENTS, &ask.base);
	assert_int_equal(reply->events_found->n_events, 4);
	assert_int_equal(reply->events_found->next_after_sequence, 4);
	ask.after_sequence = 4;
	reply = harness_order(h, &asker, NULL, NULL, AVVIK__V1__COMMAND__BODY_GET_EVENTS, &ask.base);
	assert_int_equal(reply->events_found->n_events, 2); /* of six: StoreMade came first */
	assert_int_equal(reply->events_found->next_after_sequence, 0);
	ask.after_sequence = 0;
	ask.case_id = harness_at_sequence(h, 4)->case_id;
	reply = harness_order(h, &asker, NULL, NULL, AVVIK__V1__COMMAND__BODY_GET_EVENTS, &ask.base);
	assert_int_equal(reply->events_found->n_events, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
	static const struct CMUnitTest tests[] = {
		TEST(a_repetition_gets_the_reply_that_the_first_got),
		TEST(a_repetition_is_judged_on_the_body_alone),
		TEST(another_content_under_a_known_reference_is_a_conflict),
		TEST(a_reference_belongs_to_its_sender),
		TEST(of_two_equal_references_in_one_batch_the_second_sees_the_first),
		TEST(a_refusal_leaves_no_trace),
		TEST(faulty_circumstances_are_kept_and_listed),
		TEST(an_order_without_a_reference_is_refused_by_that_name),
		TEST(who_lacks_the_right_is_told_which),
		TEST(a_key_that_is_no_longer_allowed_is_refused_in_the_turn),
		TEST(what_cannot_be_read_is_answered),
		TEST(a_grant_is_used_once_by_the_one_it_was_given_to),
		TEST(events_carry_who_why_and_when),
		TEST(events_are_found_by_case_and_in_pages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
