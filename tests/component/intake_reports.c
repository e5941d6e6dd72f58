/* intake_reports.c - reports and supplements: kept with their faults, safe to repeat, proved by receipts */
#include "intake_world.h"

static struct av_bytes packed(struct world *w, const ProtobufCMessage *message)
{
	return av_message_pack(message, w->h->arena);
}

/* Holds with the public key alone, and with exactly this content. */
static void assert_proved(struct world *w, const Avvik__V1__Receipt *receipt, const ProtobufCMessage *content)
{
	const char *text = "";
	assert_non_null(receipt);
	int status = av_receipt_check(receipt, w->h->sign_public, packed(w, content), w->h->arena, &text);
	if (status < 0)
		fail_msg("%s", text);
}

/* The command was refused with this status, and nothing anywhere has changed. */
static void assert_refused(struct world *w, const struct av_principal *sender, const char *reference,
	unsigned int number, ProtobufCMessage *body, Avvik__V1__ReplyStatus want, const char *fault)
{
	unsigned char before[32], after[32];
	harness_fingerprint(w->h, before);
	Avvik__V1__Reply *reply = harness_order(w->h, sender, reference, NULL, number, body);
	harness_fingerprint(w->h, after);
	harness_want(reply, want);
	assert_reply_faults(reply, fault);
	assert_memory_equal(before, after, sizeof(before));
}

static void a_report_is_kept_and_its_receipt_proves_it_offline(void **state)
{
	struct world *w = *state;
	world_publish(w);
	Avvik__V1__FileReport *report = world_report(w);
	Avvik__V1__Reply *reply = world_file(w, &w->publisher, "r-1", report);
	harness_want(reply, REPLY(DONE));
	assert_int_equal(reply->n_faults, 0);
	Avvik__V1__Event *event = harness_last(w->h, EVENT(REPORT_FILED));
	const Avvik__V1__ReportFiled *filed = event->report_filed;
	assert_int_equal(event->case_id.len, AV_ID_SIZE);
	assert_memory_equal(event->case_id.data, reply->report_accepted->report_id.data, AV_ID_SIZE);
	assert_memory_equal(filed->report_id.data, event->case_id.data, AV_ID_SIZE);
	assert_string_equal(filed->unit, LEAF);
	assert_string_equal(filed->principal, "lifecare");
	assert_string_equal(filed->registry_number, "SN 2026/0042");
	assert_string_equal(filed->directory_version, "lindaker-2026-01");
	assert_true(filed->placed && filed->reporter_named && filed->contact_given);
	assert_int_equal(filed->received_at_ms, w->h->now_ms);
	assert_int_equal(filed->n_remedied_at_ms, 1);
	assert_int_equal(filed->n_attachments, 1);
	assert_int_equal(filed->content->n_parts, 4);
	assert_proved(w, reply->report_accepted->receipt, &report->base);
	harness_check_replay(w->h);
}

static void what_somebody_wrote_is_in_no_event_and_in_no_table(void **state)
{
	static const char *const secrets[] = {SECRET_EVENT, SECRET_PERSON, SECRET_REPORTER,
		"rut@lindaker.example", "larmet byttes", "dok/7", "hos Berta"};
	struct world *w = *state;
	world_publish(w);
	Avvik__V1__FileReport *report = world_report(w);
	report->unit = TEXT("hos Berta");
	harness_want(world_file(w, &w->publisher, "r-1", report), REPLY(DONE));
	struct av_txn *txn = harness_read(w->h);
	for (unsigned int table = 0; av_store_table(w->h->store, table); table++) {
		struct av_iter it = av_iter(txn, table, av_bytes(NULL, 0), av_bytes(NULL, 0));
		while (av_iter_next(&it))
			for (size_t i = 0; i < AV_COUNT(secrets); i++)
				if (world_holds(it.value, secrets[i]) || world_holds(it.key, secrets[i]))
					fail_msg("table %s holds \"%s\"",
						av_store_table(w->h->store, table)->name, secrets[i]);
		av_iter_end(&it);
	}
	av_txn_abort(&txn);
}

static void a_report_is_not_lost_for_its_faults(void **state)
{
	struct world *w = *state;
	world_publish(w);
	Avvik__V1__FileReport *report = world_report(w);
	report->unit = TEXT("nowhere");
	report->category = TEXT("XYZ");
	report->subcategory = TEXT("");
	report->narrative->description = TEXT("");
	report->reporter->name = TEXT("");
	report->reporter->mail = TEXT("ring mig");
	report->received_at_ms = w->h->now_ms + INT64_C(3600000);
	report->noticed_at_ms = -1;
	Avvik__V1__Reply *reply = world_file(w, &w->publisher, "r-1", report);
	harness_want(reply, REPLY(DONE));
	assert_reply_faults(reply, "unknown_reference unit|", "unknown_value category|",
		"required narrative.description|", "required reporter.name|", "malformed reporter.mail|",
		"out_of_range received_at_ms|future", "out_of_range noticed_at_ms|");
	const Avvik__V1__ReportFiled *filed = harness_last(w->h, EVENT(REPORT_FILED))->report_filed;
	assert_int_equal(filed->n_faults, reply->n_faults);
	for (size_t i = 0; i < filed->n_faults; i++) {
		assert_string_equal(filed->faults[i]->path, reply->faults[i]->path);
		assert_int_equal(filed->faults[i]->code, reply->faults[i]->code);
	}
	assert_false(filed->placed || filed->reporter_named || filed->contact_given);
	assert_int_equal(filed->received_at_ms, report->received_at_ms);
	assert_int_equal(filed->content->n_parts, 3); /* without address there is no contact */
	assert_int_equal(harness_last(w->h, EVENT(REPORT_FILED))->occurred_at_ms, w->h->now_ms);
	assert_proved(w, reply->report_accepted->receipt, &report->base);
}

static void before_anything_is_published_reports_are_kept(void **state)
{
	struct world *w = *state;
	Avvik__V1__Reply *reply = world_file(w, &w->publisher, "r-1", world_report(w));
	harness_want(reply, REPLY(DONE));
	assert_reply_faults(
		reply, "unknown_reference unit|no directory", "unknown_reference category|no rule pack");
	assert_string_equal(harness_last(w->h, EVENT(REPORT_FILED))->report_filed->directory_version, "");
	harness_check_replay(w->h);
}

static void a_report_with_nothing_but_a_type_is_kept(void **state)
{
	struct world *w = *state;
	Avvik__V1__FileReport report = AVVIK__V1__FILE_REPORT__INIT;
	report.type = AVVIK__V1__REPORT_TYPE__REPORT_TYPE_DEVIATION;
	Avvik__V1__Reply *reply = world_file(w, &w->publisher, "r-1", &report);
	harness_want(reply, REPLY(DONE));
	assert_reply_faults(reply, "required unit|", "required narrative.description|");
	assert_proved(w, reply->report_accepted->receipt, &report.base);
}

static void what_cannot_be_bounded_is_refused_and_leaves_no_trace(void **state)
{
	struct world *w = *state;
	Avvik__V1__FileReport *report = world_report(w);
	report->type = AVVIK__V1__REPORT_TYPE__REPORT_TYPE_UNSPECIFIED;
	assert_refused(w, &w->publisher, "r-1", COMMAND(FILE_REPORT), &report->base, REPLY(INVALID),
		"required type|deviation");
	report = world_report(w);
	report->unit = TEXT("a-code-that-is-much-longer-than-forty-bytes-are");
	assert_refused(w, &w->publisher, "r-1", COMMAND(FILE_REPORT), &report->base, REPLY(INVALID),
		"too_long unit|");
	report = world_report(w);
	assert_refused(w, &w->publisher, NULL, COMMAND(FILE_REPORT), &report->base, REPLY(INVALID),
		"required reference|");
	assert_refused(w, &w->administrator, "r-1", COMMAND(FILE_REPORT), &report->base, REPLY(FORBIDDEN),
		"not_allowed |");
}

static void a_limited_sender_files_for_its_units_and_those_below(void **state)
{
	struct world *w = *state;
	world_publish(w);
	Avvik__V1__FileReport *report = world_report(w);
	harness_want(world_file(w, &w->limited, "r-1", report), REPLY(DONE));
	report->unit = TEXT("gruppbostad-ekbacken");
	assert_refused(w, &w->limited, "r-2", COMMAND(FILE_REPORT), &report->base, REPLY(FORBIDDEN),
		"not_allowed unit|");
	report->unit = TEXT("nowhere"); /* nobody's yet: kept, and placed by a person */
	harness_want(world_file(w, &w->limited, "r-3", report), REPLY(DONE));
}

static void a_repetition_gets_the_same_receipt_and_another_content_is_a_conflict(void **state)
{
	struct world *w = *state;
	world_publish(w);
	Avvik__V1__FileReport *report = world_report(w);
	Avvik__V1__Reply *first = world_file(w, &w->publisher, "r-1", report);
	uint64_t head = harness_head(w->h);
	w->h->now_ms += 60000;
	Avvik__V1__Reply *again = world_file(w, &w->publisher, "r-1", report);
	harness_want(again, REPLY(DONE));
	assert_true(again->repeated);
	assert_int_equal(harness_head(w->h), head);
	struct av_bytes a = packed(w, &first->report_accepted->base),
			b = packed(w, &again->report_accepted->base);
	assert_true(av_bytes_equal(a, b));
	report->narrative->description = TEXT("något annat");
	assert_refused(w, &w->publisher, "r-1", COMMAND(FILE_REPORT), &report->base, REPLY(CONFLICT),
		"contradiction reference|");
	/* the reference is the sender's own */
	harness_want(world_file(w, &w->stranger, "r-1", report), REPLY(DONE));
	harness_check_replay(w->h);
}

static Avvik__V1__SupplementReport *supplement_of(
	struct world *w, ProtobufCBinaryData report_id, const char *text)
{
	Avvik__V1__SupplementReport *supplement =
		AV_NEW(w->h->arena, Avvik__V1__SupplementReport, avvik__v1__supplement_report);
	supplement->report_id = report_id;
	supplement->narrative = AV_NEW(w->h->arena, Avvik__V1__ReportNarrative, avvik__v1__report_narrative);
	supplement->narrative->description = TEXT(text);
	return supplement;
}

static void a_supplement_is_kept_beside_the_report_which_does_not_change(void **state)
{
	struct world *w = *state;
	world_publish(w);
	Avvik__V1__FileReport *report = world_report(w);
	Avvik__V1__Reply *first = world_file(w, &w->publisher, "r-1", report);
	ProtobufCBinaryData id = first->report_accepted->report_id;
	struct av_bytes before = packed(w, &harness_last(w->h, EVENT(REPORT_FILED))->base);
	Avvik__V1__SupplementReport *supplement = supplement_of(w, id, "och morgonen därpå");
	Avvik__V1__Reply *reply = harness_order(
		w->h, &w->publisher, "s-1", NULL, COMMAND(SUPPLEMENT_REPORT), &supplement->base);
	harness_want(reply, REPLY(DONE));
	Avvik__V1__Event *event = harness_last(w->h, EVENT(REPORT_SUPPLEMENTED));
	assert_memory_equal(event->case_id.data, id.data, AV_ID_SIZE);
	assert_memory_equal(event->report_supplemented->report_id.data, id.data, AV_ID_SIZE);
	assert_memory_not_equal(event->report_supplemented->supplement_id.data, id.data, AV_ID_SIZE);
	assert_false(world_journal_holds(w, "morgonen"));
	assert_proved(w, reply->report_accepted->receipt, &supplement->base);
	assert_true(av_bytes_equal(before, packed(w, &harness_last(w->h, EVENT(REPORT_FILED))->base)));
	harness_check_replay(w->h);
}

static void a_supplement_to_nothing_to_others_or_without_words_is_refused(void **state)
{
	struct world *w = *state;
	world_publish(w);
	Avvik__V1__Reply *first = world_file(w, &w->publisher, "r-1", world_report(w));
	ProtobufCBinaryData id = first->report_accepted->report_id;
	uint8_t unknown[AV_ID_SIZE] = {1};
	assert_refused(w, &w->publisher, "s-1", COMMAND(SUPPLEMENT_REPORT),
		&supplement_of(w, (ProtobufCBinaryData){AV_ID_SIZE, unknown}, "x")->base, REPLY(NOT_FOUND),
		"unknown_reference report_id|receipt");
	assert_refused(w, &w->stranger, "s-1", COMMAND(SUPPLEMENT_REPORT), &supplement_of(w, id, "x")->base,
		REPLY(FORBIDDEN), "not_allowed report_id|");
	assert_refused(w, &w->publisher, "s-1", COMMAND(SUPPLEMENT_REPORT), &supplement_of(w, id, " ")->base,
		REPLY(INVALID), "required narrative.description|");
}

static void receipts_are_found_by_id_and_by_the_senders_reference(void **state)
{
	struct world *w = *state;
	world_publish(w);
	Avvik__V1__FileReport *report = world_report(w);
	Avvik__V1__Reply *first = world_file(w, &w->publisher, "r-1", report);
	Avvik__V1__SupplementReport *supplement = supplement_of(w, first->report_accepted->report_id, "mer");
	harness_order(w->h, &w->publisher, "s-1", NULL, COMMAND(SUPPLEMENT_REPORT), &supplement->base);
	for (int by_reference = 0; by_reference < 3; by_reference++) {
		Avvik__V1__GetReceipt query = AVVIK__V1__GET_RECEIPT__INIT;
		if (by_reference)
			query.reference = TEXT(by_reference == 1 ? "r-1" : "s-1");
		else
			query.report_id = first->report_accepted->report_id;
		Avvik__V1__Reply *reply = world_ask(w, &w->publisher, COMMAND(GET_RECEIPT), &query.base);
		harness_want(reply, REPLY(DONE));
		assert_int_equal(reply->receipt_found->n_receipts, 2);
		assert_proved(w, reply->receipt_found->receipts[0], &report->base);
		assert_proved(w, reply->receipt_found->receipts[1], &supplement->base);
	}
}

static void receipts_of_others_and_of_nothing_are_not_given(void **state)
{
	struct world *w = *state;
	world_publish(w);
	Avvik__V1__Reply *first = world_file(w, &w->publisher, "r-1", world_report(w));
	Avvik__V1__GetReceipt query = AVVIK__V1__GET_RECEIPT__INIT;
	assert_refused(w, &w->publisher, NULL, COMMAND(GET_RECEIPT), &query.base, REPLY(INVALID),
		"required report_id|");
	query.reference = TEXT("r-1");
	assert_refused(w, &w->stranger, NULL, COMMAND(GET_RECEIPT), &query.base, REPLY(NOT_FOUND),
		"unknown_reference reference|");
	query.report_id = first->report_accepted->report_id;
	assert_refused(w, &w->stranger, NULL, COMMAND(GET_RECEIPT), &query.base, REPLY(FORBIDDEN),
		"not_allowed report_id|");
	uint8_t unknown[AV_ID_SIZE] = {1};
	query.report_id = (ProtobufCBinaryData){AV_ID_SIZE, unknown};
	assert_refused(w, &w->publisher, NULL, COMMAND(GET_RECEIPT), &query.base, REPLY(NOT_FOUND),
		"unknown_reference report_id|");
}

static void a_receipt_is_verified_in_words(void **state)
{
	struct world *w = *state;
	world_publish(w);
	Avvik__V1__Reply *first = world_file(w, &w->publisher, "r-1", world_report(w));
	Avvik__V1__Receipt *receipt = first->report_accepted->receipt;
	Avvik__V1__VerifyReceipt query = AVVIK__V1__VERIFY_RECEIPT__INIT;
	query.receipt = receipt;
	Avvik__V1__ReceiptVerified *verified =
		world_ask(w, &w->stranger, COMMAND(VERIFY_RECEIPT), &query.base)->receipt_verified;
	assert_true(verified->valid);
	assert_non_null(strstr(verified->text, "its journal holds it unchanged"));

	receipt->leaf->received_at_ms -= 1;
	verified = world_ask(w, &w->stranger, COMMAND(VERIFY_RECEIPT), &query.base)->receipt_verified;
	assert_false(verified->valid);
	receipt->leaf->received_at_ms += 1;

	receipt->instance = TEXT("annan");
	verified = world_ask(w, &w->stranger, COMMAND(VERIFY_RECEIPT), &query.base)->receipt_verified;
	assert_false(verified->valid);
	assert_non_null(strstr(verified->text, "another instance"));
}

static void a_receipt_of_a_lost_turn_says_that_it_must_be_filed_again(void **state)
{
	struct world *w = *state;
	Avvik__V1__Reply *first = world_file(w, &w->publisher, "r-1", world_report(w));
	/* the same instance, restored from before: its journal has something else in that place */
	struct world *restored;
	void *other;
	assert_int_equal(world_start(&other), 0);
	restored = other;
	memcpy(restored->h->sign_public, w->h->sign_public, sizeof(w->h->sign_public));
	Avvik__V1__VerifyReceipt query = AVVIK__V1__VERIFY_RECEIPT__INIT;
	query.receipt = first->report_accepted->receipt;
	Avvik__V1__ReceiptVerified *verified =
		world_ask(restored, &restored->stranger, COMMAND(VERIFY_RECEIPT), &query.base)
			->receipt_verified;
	assert_true(verified->valid);
	assert_non_null(strstr(verified->text, "restored from an earlier backup"));
	world_stop(&other);
}

static struct av_bytes command_wire(
	struct world *w, const char *reference, unsigned int number, ProtobufCMessage *body)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	command.reference = TEXT(reference);
	av_body_set(&command.base, number, body);
	return packed(w, &command.base);
}

static void what_is_published_in_a_turn_holds_for_the_reports_after_it(void **state)
{
	struct world *w = *state;
	Avvik__V1__PublishDirectory order = AVVIK__V1__PUBLISH_DIRECTORY__INIT;
	order.directory = support_lindaker(w->h->arena);
	struct av_bytes report = command_wire(w, "r-1", COMMAND(FILE_REPORT), &world_report(w)->base);
	struct av_bytes after = command_wire(w, "r-2", COMMAND(FILE_REPORT), &world_report(w)->base);
	struct av_item items[] = {
		{.kind = AV_ITEM_COMMAND,
			.arrived_at_ms = w->h->now_ms,
			.wire = report,
			.principal = &w->publisher},
		{.kind = AV_ITEM_COMMAND,
			.arrived_at_ms = w->h->now_ms,
			.wire = command_wire(w, "d-1", COMMAND(PUBLISH_DIRECTORY), &order.base),
			.principal = &w->administrator},
		{.kind = AV_ITEM_COMMAND,
			.arrived_at_ms = w->h->now_ms,
			.wire = after,
			.principal = &w->publisher},
	};
	assert_int_equal(harness_run(w->h, items, AV_COUNT(items)), AV_OK);
	assert_true(harness_last(w->h, EVENT(REPORT_FILED))->report_filed->placed);
	assert_int_equal(harness_count(w->h, EVENT(REPORT_FILED), 0), 2);
	uint64_t first = 0;
	for (uint64_t sequence = 1; !first; sequence++)
		if (harness_at_sequence(w->h, sequence)->body_case == EVENT(REPORT_FILED))
			first = sequence;
	assert_false(harness_at_sequence(w->h, first)->report_filed->placed);
	harness_check_replay(w->h);
}

static void everything_stands_after_a_restart(void **state)
{
	struct world *w = *state;
	world_publish(w);
	Avvik__V1__FileReport *report = world_report(w);
	Avvik__V1__Reply *first = world_file(w, &w->publisher, "r-1", report);
	harness_restart(w->h);
	Avvik__V1__Reply *again = world_file(w, &w->publisher, "r-1", report);
	assert_true(again->repeated);
	assert_memory_equal(
		again->report_accepted->report_id.data, first->report_accepted->report_id.data, AV_ID_SIZE);
	assert_proved(w, again->report_accepted->receipt, &report->base);
	harness_want(world_file(w, &w->publisher, "r-2", report), REPLY(DONE));
	assert_true(harness_last(w->h, EVENT(REPORT_FILED))->report_filed->placed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(a_report_is_kept_and_its_receipt_proves_it_offline),
		world_test(what_somebody_wrote_is_in_no_event_and_in_no_table),
		world_test(a_report_is_not_lost_for_its_faults),
		world_test(before_anything_is_published_reports_are_kept),
		world_test(a_report_with_nothing_but_a_type_is_kept),
		world_test(what_cannot_be_bounded_is_refused_and_leaves_no_trace),
		world_test(a_limited_sender_files_for_its_units_and_those_below),
		world_test(a_repetition_gets_the_same_receipt_and_another_content_is_a_conflict),
		world_test(a_supplement_is_kept_beside_the_report_which_does_not_change),
		world_test(a_supplement_to_nothing_to_others_or_without_words_is_refused),
		world_test(receipts_are_found_by_id_and_by_the_senders_reference),
		world_test(receipts_of_others_and_of_nothing_are_not_given),
		world_test(a_receipt_is_verified_in_words),
		world_test(a_receipt_of_a_lost_turn_says_that_it_must_be_filed_again),
		world_test(what_is_published_in_a_turn_holds_for_the_reports_after_it),
		world_test(everything_stands_after_a_restart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
