/* notification_notices.c - from what the feeds tell to who is told: each once, whatever the order, and nobody
 * forgotten. */
#include "notification_support.h"

static void a_case_tells_its_manager_and_its_reporter(void **state)
{
	(void)state;
	struct harness *h = town_open();
	struct av_id id = town_id(1);

	town_told(h);
	assert_int_equal(town_report(h, id, "asa@lindaker.se"), AV_OK);
	assert_int_equal(town_tell(h, town_opened(h, id, DEVIATION, "solen", CASE_STATE(RECEIVED))), AV_OK);
	assert_string_equal(town_notices(h), "N1:anna N2:reporter");
	const Avvik__V1__Notice *notice = harness_last(h, EVENT(NOTICE_DECIDED))->notice_decided->notice;
	assert_string_equal(notice->number, "2026-0001");
	assert_string_equal(notice->event, "CaseOpened");
	assert_int_equal(notice->case_kind, DEVIATION);
	assert_true(strlen(notice->message_id) > 36);
	harness_check_replay(h);
	harness_close(&h);
}

static void an_event_told_twice_tells_everybody_once(void **state)
{
	(void)state;
	struct harness *h = town_open();
	struct av_id id = town_id(1);
	Avvik__V1__Event *rules = town_rules(h),
			 *opened = town_opened(h, id, LEX_SARAH, "solen", CASE_STATE(RECEIVED));
	Avvik__V1__Event *rung = town_rung(h, id, "D5", false), *closed = town_closed(h, id);
	struct told_directory directory = town_directory(h, false, "anna@lindaker.se");
	uint64_t head = 0;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(harness_feed(h, "intake", rules), AV_OK);
		assert_int_equal(town_tell_directory(h, directory), AV_OK);
		assert_int_equal(town_report(h, id, "asa@lindaker.se"), AV_OK);
		assert_int_equal(town_tell(h, opened), AV_OK);
		assert_int_equal(town_tell(h, rung), AV_OK);
		assert_int_equal(town_tell(h, closed), AV_OK);
		if (i == 0)
			head = harness_head(h);
	}
	assert_string_equal(town_notices(h), "N1:anna N2:reporter N90:dan N80:reporter");
	if (harness_head(h) != head)
		fail_msg("the second time made %llu events", (unsigned long long)(harness_head(h) - head));
	harness_check_replay(h);
	harness_close(&h);
}

/* The feeds have no order between them: every way in which what a case needs may arrive late. */
static void whatever_arrives_first_the_same_people_are_told(void **state)
{
	(void)state;
	static const char *const orders[] = {
		"RDFO", "ORDF", "OFRD", "ODRF", "FORD", "DOFR", "RFOD", "DFOR", "OFDR", "RODF"};

	for (size_t i = 0; i < AV_COUNT(orders); i++) {
		struct harness *h = town_open();
		struct av_id id = town_id(1);
		Avvik__V1__Event *opened = town_opened(h, id, LEX_SARAH, "solen", CASE_STATE(RECEIVED));
		Avvik__V1__Event *rung = town_rung(h, id, "D5", false);
		for (const char *at = orders[i]; *at; at++) {
			if (*at == 'R')
				assert_int_equal(harness_feed(h, "intake", town_rules(h)), AV_OK);
			else if (*at == 'D')
				assert_int_equal(
					town_tell_directory(h, town_directory(h, false, "anna@lindaker.se")),
					AV_OK);
			else if (*at == 'F')
				assert_int_equal(town_report(h, id, "asa@lindaker.se"), AV_OK);
			else {
				assert_int_equal(town_tell(h, opened), AV_OK);
				assert_int_equal(town_tell(h, rung), AV_OK);
				assert_int_equal(
					town_tell(h, rung), AV_OK); /* again, while it may be waiting */
			}
		}
		harness_tick(h, h->now_ms);
		const char *got = town_notices(h);
		if (strcmp(got, "N1:anna N2:reporter N90:dan") != 0)
			fail_msg("order %s: got \"%s\"", orders[i], got);
		town_all_delivered(h);
		assert_int_equal(harness_count(h, EVENT(NOTICE_DELIVERED), 0), 3);
		struct av_txn *txn = harness_read(h);
		assert_int_equal(av_table_count(txn, TABLE_WAITING), 0);
		assert_int_equal(av_table_count(txn, TABLE_READY), 0);
		av_txn_abort(&txn);
		harness_check_replay(h);
		harness_close(&h);
	}
}

static void a_case_opened_before_there_were_rules_tells_when_they_are_set_for_it(void **state)
{
	(void)state;
	struct harness *h = town_open();
	struct av_id id = town_id(1);
	Avvik__V1__Event *opened = town_opened(h, id, LEX_SARAH, "solen", CASE_STATE(RECEIVED));
	Avvik__V1__CaseRulesSet *set = AV_NEW(h->arena, Avvik__V1__CaseRulesSet, avvik__v1__case_rules_set);

	opened->case_opened->rules_version = (char *)"";
	set->rules_version = (char *)"test-1";
	town_told(h);
	assert_int_equal(town_report(h, id, "asa@lindaker.se"), AV_OK);
	assert_int_equal(town_tell(h, opened), AV_OK);
	harness_tick(h, h->now_ms);
	assert_string_equal(town_notices(h), "");
	assert_int_equal(town_tell(h, harness_event(h, EVENT(CASE_RULES_SET), &set->base, &id, 0)), AV_OK);
	assert_int_equal(town_tell(h, town_rung(h, id, "D5", false)), AV_OK);
	harness_tick(h, h->now_ms);
	assert_string_equal(town_notices(h), "N1:anna N2:reporter N90:dan");
	assert_string_equal(harness_last(h, EVENT(CASE_KNOWN))->case_known->rules_version, "test-1");
	harness_check_replay(h);
	harness_close(&h);
}

static void nothing_that_waits_makes_the_daemon_busy(void **state)
{
	(void)state;
	struct harness *h = town_open();
	struct av_id id = town_id(1);

	assert_int_equal(town_tell(h, town_opened(h, id, LEX_SARAH, "solen", CASE_STATE(RECEIVED))), AV_OK);
	assert_true(harness_next_due(h) > h->now_ms);
	harness_tick(h, h->now_ms + WAITING_LOOK_MS);
	assert_true(harness_next_due(h) > h->now_ms);
	harness_close(&h);
}

static void an_event_of_a_case_that_was_never_opened_is_set_aside(void **state)
{
	(void)state;
	struct harness *h = town_open();
	struct av_principal admin = harness_principal("admin", "administrator", AV_MAY_ADMINISTER);
	Avvik__V1__ListQuarantine list = AVVIK__V1__LIST_QUARANTINE__INIT;

	town_told(h);
	town_tell(h, town_closed(h, town_id(9)));
	assert_string_equal(town_notices(h), "");
	Avvik__V1__Reply *reply =
		harness_order(h, &admin, NULL, NULL, AVVIK__V1__COMMAND__BODY_LIST_QUARANTINE, &list.base);
	assert_int_equal(reply->quarantine_found->n_items, 1);
	harness_close(&h);
}

static void a_rule_that_reaches_nobody_is_told_and_found_again(void **state)
{
	(void)state;
	struct harness *h = town_open();
	struct av_principal admin =
		harness_principal("admin", "administrator", AV_MAY_ADMINISTER | AV_MAY_QUERY);
	Avvik__V1__SeriousFound *found = AV_NEW(h->arena, Avvik__V1__SeriousFound, avvik__v1__serious_found);
	Avvik__V1__ListNotices list = AVVIK__V1__LIST_NOTICES__INIT;
	struct av_id id = town_id(1);

	town_told(h);
	town_report(h, id, NULL);
	town_tell(h, town_opened(h, id, LEX_SARAH, "solen", CASE_STATE(RECEIVED)));
	town_tell(h, harness_event(h, EVENT(SERIOUS_FOUND), &found->base, &id, 0));
	const Avvik__V1__NoticeUnreachable *nobody =
		harness_last(h, EVENT(NOTICE_UNREACHABLE))->notice_unreachable;
	assert_string_equal(nobody->rule, "N91");
	assert_string_equal(nobody->role, "FC");
	assert_string_equal(nobody->why, "no_holder");
	assert_string_equal(town_notices(h), "N1:anna"); /* and the reporter left no address */
	list.case_id = (ProtobufCBinaryData){AV_ID_SIZE, id.bytes};
	Avvik__V1__Reply *reply =
		harness_order(h, &admin, NULL, NULL, AVVIK__V1__COMMAND__BODY_LIST_NOTICES, &list.base);
	harness_want(reply, AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE);
	assert_int_equal(reply->notices_found->n_notices, 1);
	assert_int_equal(reply->notices_found->n_unreachable, 2);

	/* Asked of all cases: those that somebody should mend, with the number; not by a person or a state. */
	list.case_id.len = 0;
	reply = harness_order(h, &admin, NULL, NULL, AVVIK__V1__COMMAND__BODY_LIST_NOTICES, &list.base);
	assert_int_equal(reply->notices_found->n_unreachable, 1);
	assert_string_equal(reply->notices_found->unreachable[0]->role, "FC");
	assert_string_not_equal(reply->notices_found->unreachable[0]->number, "");
	list.person = (char *)"anna";
	reply = harness_order(h, &admin, NULL, NULL, AVVIK__V1__COMMAND__BODY_LIST_NOTICES, &list.base);
	assert_int_equal(reply->notices_found->n_unreachable, 0);
	list.person = (char *)"";
	list.case_id.len = AV_ID_SIZE;

	/* Asked on behalf of a person: what that person was told, and nothing of others. */
	reply = harness_order(h, &admin, NULL, "anna", AVVIK__V1__COMMAND__BODY_LIST_NOTICES, &list.base);
	assert_int_equal(reply->notices_found->n_notices, 1);
	assert_int_equal(reply->notices_found->n_unreachable, 0);
	reply = harness_order(h, &admin, NULL, "bo", AVVIK__V1__COMMAND__BODY_LIST_NOTICES, &list.base);
	assert_int_equal(reply->notices_found->n_notices, 0);

	/* A system that is for some units sees what is about their cases. */
	static const char *const here[] = {"solen", NULL}, *const elsewhere[] = {"dalen", NULL};
	struct av_principal some = harness_principal("some", "case_system", AV_MAY_QUERY);
	some.units = here;
	reply = harness_order(h, &some, NULL, NULL, AVVIK__V1__COMMAND__BODY_LIST_NOTICES, &list.base);
	harness_want(reply, AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE);
	assert_int_equal(reply->notices_found->n_notices, 1);
	some.units = elsewhere;
	reply = harness_order(h, &some, NULL, NULL, AVVIK__V1__COMMAND__BODY_LIST_NOTICES, &list.base);
	assert_int_equal(reply->notices_found->n_notices, 0);
	assert_int_equal(reply->notices_found->n_unreachable, 0);
	list.case_id.len = 0;
	reply = harness_order(h, &some, NULL, NULL, AVVIK__V1__COMMAND__BODY_LIST_NOTICES, &list.base);
	assert_int_equal(reply->notices_found->n_notices, 0);
	assert_int_equal(reply->notices_found->n_unreachable, 0);
	harness_check_replay(h);
	harness_close(&h);
}

static void a_deputy_is_told_while_the_manager_is_away(void **state)
{
	(void)state;
	struct harness *h = town_open();
	struct av_id id = town_id(1);

	town_told(h);
	town_tell_directory(h, town_directory(h, true, "anna@lindaker.se"));
	town_report(h, id, NULL);
	town_tell(h, town_opened(h, id, DEVIATION, "solen", CASE_STATE(RECEIVED)));
	assert_string_equal(town_notices(h), "N1:bo/anna");
	harness_close(&h);
}

static void an_incomplete_case_is_told_to_its_unit_when_it_is_placed(void **state)
{
	(void)state;
	struct harness *h = town_open();
	struct av_id id = town_id(1);
	Avvik__V1__CasePlaced *placed = AV_NEW(h->arena, Avvik__V1__CasePlaced, avvik__v1__case_placed);

	town_told(h);
	town_report(h, id, "asa@lindaker.se");
	town_tell(h, town_opened(h, id, DEVIATION, "nowhere", CASE_STATE(INCOMPLETE)));
	assert_string_equal(town_notices(h), "N2:reporter N4:rita");
	placed->unit = (char *)"solen";
	placed->state = CASE_STATE(RECEIVED);
	town_tell(h, harness_event(h, EVENT(CASE_PLACED), &placed->base, &id, 0));
	assert_string_equal(town_notices(h), "N2:reporter N4:rita N1:anna");
	harness_check_replay(h);
	harness_close(&h);
}

static void a_case_moved_to_a_unit_of_a_directory_on_its_way_waits_for_it(void **state)
{
	(void)state;
	struct harness *h = town_open();
	struct av_id id = town_id(1);
	Avvik__V1__CasePlaced *placed = AV_NEW(h->arena, Avvik__V1__CasePlaced, avvik__v1__case_placed);
	struct told_directory later;

	town_told(h);
	town_report(h, id, NULL);
	town_tell(h, town_opened(h, id, DEVIATION, "nowhere", CASE_STATE(INCOMPLETE)));
	placed->unit = (char *)"manen";
	placed->state = CASE_STATE(RECEIVED);
	town_tell(h, harness_event(h, EVENT(CASE_PLACED), &placed->base, &id, 0));
	assert_string_equal(town_notices(h), "N4:rita");
	later = town_directory(h, false, "anna@lindaker.se");
	later.event->directory_published->directory->units[2]->code = (char *)"manen";
	later.event->directory_published->directory->people[0]->roles[0]->unit = (char *)"manen";
	later.event->directory_published->directory->people[1]->roles[0]->unit = (char *)"manen";
	town_tell_directory(h, later);
	harness_tick(h, h->now_ms);
	assert_string_equal(town_notices(h), "N4:rita N1:anna");
	harness_close(&h);
}

/* --- contacts --- */

static bool holds(struct av_bytes bytes, const char *text)
{
	size_t size = strlen(text);
	for (size_t i = 0; i + size <= bytes.size; i++)
		if (memcmp((const char *)bytes.data + i, text, size) == 0)
			return true;
	return false;
}

static void addresses_are_sealed_and_renewed_only_when_they_change(void **state)
{
	(void)state;
	struct harness *h = town_open();
	uint64_t before;

	town_told(h);
	assert_int_equal(harness_count(h, EVENT(CONTACT_STORED), 0), 4);
	for (uint64_t sequence = 1; sequence <= harness_head(h); sequence++) {
		struct av_txn *txn = harness_read(h);
		struct av_bytes packed;
		assert_int_equal(av_journal_read(txn, sequence, &packed, NULL), AV_OK);
		assert_false(holds(packed, "@lindaker.se"));
		av_txn_abort(&txn);
	}
	before = harness_head(h);
	town_tell_directory(h, town_directory(h, false, "anna@lindaker.se"));
	assert_int_equal(harness_count(h, EVENT(CONTACT_STORED), before), 0);
	assert_int_equal(harness_count(h, EVENT(CONTENT_ERASED), before), 0);
	town_tell_directory(h, town_directory(h, false, "anna.berg@lindaker.se"));
	assert_int_equal(harness_count(h, EVENT(CONTACT_STORED), before), 1);
	assert_int_equal(harness_count(h, EVENT(CONTENT_ERASED), before), 1);
	struct told_directory without = town_directory(h, false, "anna.berg@lindaker.se");
	without.event->directory_published->n_contacts = 3;
	without.count = 3;
	town_tell_directory(h, without);
	assert_int_equal(harness_count(h, EVENT(CONTENT_ERASED), before), 2);
	harness_check_replay(h);
	harness_close(&h);
}

static void a_report_erased_at_intake_is_erased_here(void **state)
{
	(void)state;
	struct harness *h = town_open();
	struct av_id id = town_id(1), content_id = id;
	Avvik__V1__ContentErased *erased =
		AV_NEW(h->arena, Avvik__V1__ContentErased, avvik__v1__content_erased);
	struct contact contact;

	town_told(h);
	town_report(h, id, "asa@lindaker.se");
	town_tell(h, town_opened(h, id, DEVIATION, "solen", CASE_STATE(RECEIVED)));
	content_id.bytes[8] = 0x81;
	erased->content_id = (ProtobufCBinaryData){AV_ID_SIZE, content_id.bytes};
	Avvik__V1__Event *event = harness_event(h, EVENT(CONTENT_ERASED), &erased->base, &id, 0);
	assert_int_equal(harness_feed(h, "intake", event), AV_OK);
	assert_int_equal(harness_feed(h, "intake", event), AV_OK);
	assert_int_equal(harness_count(h, EVENT(CONTENT_ERASED), 0), 1);
	struct av_txn *txn = harness_read(h);
	assert_int_equal(contact_load(txn, NULL, av_bytes(id.bytes, AV_ID_SIZE), &contact), AV_OK);
	assert_false(contact.has_mail);
	assert_true(id_is_zero(&contact.content_id));
	av_txn_abort(&txn);
	harness_upkeep(h);
	harness_check_replay(h);
	harness_close(&h);
}

/* The two feeds have no order between them. */
static void an_address_that_was_corrected_outlives_the_report_that_it_took_the_place_of(void **state)
{
	(void)state;
	for (int erased_first = 0; erased_first <= 1; erased_first++) {
		struct harness *h = town_open();
		struct av_id id = town_id(1);
		struct contact contact;

		town_told(h);
		town_report(h, id, "fel@lindaker.se");
		town_tell(h, town_opened(h, id, DEVIATION, "solen", CASE_STATE(RECEIVED)));
		if (erased_first)
			assert_int_equal(town_report_erased(h, id), AV_OK);
		assert_int_equal(town_corrected(h, id, "asa@lindaker.se"), AV_OK);
		if (!erased_first)
			assert_int_equal(town_report_erased(h, id), AV_OK);
		struct av_txn *txn = harness_read(h);
		assert_int_equal(contact_load(txn, NULL, av_bytes(id.bytes, AV_ID_SIZE), &contact), AV_OK);
		assert_true(contact.has_mail);
		assert_int_equal(contact.content_id.bytes[0] != 0, 1);
		av_txn_abort(&txn);
		assert_int_equal(harness_count(h, EVENT(CONTENT_ERASED), 0), 1); /* the wrong one, once */
		harness_upkeep(h);
		harness_check_replay(h);
		harness_close(&h);
	}
}

/* Also in a content where no address can be: intake may take long to erase the wrong one, or was never asked to. */
static void an_address_that_was_corrected_away_is_forgotten_at_once(void **state)
{
	(void)state;
	for (int report_last = 0; report_last <= 1; report_last++) {
		struct harness *h = town_open();
		struct av_id id = town_id(1);
		struct contact contact;

		town_told(h);
		if (!report_last)
			town_report(h, id, "fel@lindaker.se");
		town_tell(h, town_opened(h, id, DEVIATION, "solen", CASE_STATE(RECEIVED)));
		assert_int_equal(town_corrected(h, id, NULL), AV_OK);
		if (report_last)
			assert_int_equal(town_report(h, id, "fel@lindaker.se"), AV_OK); /* nothing new */
		struct av_txn *txn = harness_read(h);
		assert_int_equal(contact_load(txn, NULL, av_bytes(id.bytes, AV_ID_SIZE), &contact), AV_OK);
		assert_false(contact.has_mail);
		assert_true(id_is_zero(&contact.content_id));
		av_txn_abort(&txn);
		assert_int_equal(harness_count(h, EVENT(CONTENT_ERASED), 0), report_last ? 0 : 1);
		assert_int_equal(town_tell(h, town_closed(h, id)), AV_OK);
		harness_upkeep(h);
		town_all_delivered(h);
		assert_null(strstr(town_notices(h), "N80:reporter"));
		assert_int_equal(town_report_erased(h, id), AV_OK); /* nothing is left to forget */
		assert_int_equal(harness_count(h, EVENT(CONTENT_ERASED), 0), report_last ? 0 : 1);
		harness_check_replay(h);
		harness_close(&h);
	}
}

static void a_text_that_was_corrected_leaves_the_address_as_it_is(void **state)
{
	(void)state;
	struct harness *h = town_open();
	struct av_id id = town_id(1);
	struct contact contact;
	Avvik__V1__ContentCorrected *corrected =
		AV_NEW(h->arena, Avvik__V1__ContentCorrected, avvik__v1__content_corrected);
	Avvik__V1__ContentPart text = AVVIK__V1__CONTENT_PART__CONTENT_PART_TEXT;

	town_told(h);
	town_report(h, id, "asa@lindaker.se");
	town_tell(h, town_opened(h, id, DEVIATION, "solen", CASE_STATE(RECEIVED)));
	corrected->content = AV_NEW(h->arena, Avvik__V1__ContentRef, avvik__v1__content_ref);
	corrected->content->n_parts = corrected->n_parts = 1;
	corrected->content->parts = corrected->parts = &text;
	assert_int_equal(
		town_tell(h, harness_event(h, EVENT(CONTENT_CORRECTED), &corrected->base, &id, 0)), AV_OK);
	struct av_txn *txn = harness_read(h);
	assert_int_equal(contact_load(txn, NULL, av_bytes(id.bytes, AV_ID_SIZE), &contact), AV_OK);
	assert_true(contact.has_mail);
	av_txn_abort(&txn);
	harness_check_replay(h);
	harness_close(&h);
}

#define T(name) cmocka_unit_test(name)

static Avvik__V1__Event *of_the_past(struct harness *h, Avvik__V1__Event *event)
{
	event->actor = AV_NEW(h->arena, Avvik__V1__Actor, avvik__v1__actor);
	event->actor->principal = (char *)"mover";
	event->actor->taken_over_from = (char *)"oldsys";
	return event;
}

/* No report comes from intake for such a case: nothing waits for one, also not what is told afterwards. */
static void what_was_done_in_another_system_is_told_to_nobody_and_what_follows_is(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) { /* the rules arrive before, or after */
		struct harness *h = town_open();
		struct av_id id = town_id(1);

		if (!late)
			town_told(h);
		assert_int_equal(town_tell(h, of_the_past(h, town_opened(h, id, LEX_SARAH, "solen",
								     CASE_STATE(RECEIVED)))),
			AV_OK);
		assert_int_equal(town_tell(h, of_the_past(h, town_rung(h, id, "D5", false))), AV_OK);
		assert_int_equal(town_tell(h, town_rung(h, id, "D5", false)), AV_OK);
		if (late)
			town_told(h);
		harness_tick(h, h->now_ms);
		assert_string_equal(town_notices(h), "N90:dan");
		assert_int_equal(town_tell(h, town_closed(h, id)), AV_OK);
		assert_string_equal(town_notices(h), "N90:dan"); /* the reporter is not known here */
		assert_false(harness_last(h, EVENT(CONTACT_STORED))->contact_stored->has_mail &&
			     harness_last(h, EVENT(CONTACT_STORED))->contact_stored->case_id.len);
		harness_check_replay(h);
		harness_close(&h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_case_tells_its_manager_and_its_reporter),
		T(an_event_told_twice_tells_everybody_once),
		T(whatever_arrives_first_the_same_people_are_told),
		T(a_case_opened_before_there_were_rules_tells_when_they_are_set_for_it),
		T(nothing_that_waits_makes_the_daemon_busy),
		T(an_event_of_a_case_that_was_never_opened_is_set_aside),
		T(what_was_done_in_another_system_is_told_to_nobody_and_what_follows_is),
		T(a_rule_that_reaches_nobody_is_told_and_found_again),
		T(a_deputy_is_told_while_the_manager_is_away),
		T(an_incomplete_case_is_told_to_its_unit_when_it_is_placed),
		T(a_case_moved_to_a_unit_of_a_directory_on_its_way_waits_for_it),
		T(addresses_are_sealed_and_renewed_only_when_they_change),
		T(a_report_erased_at_intake_is_erased_here),
		T(an_address_that_was_corrected_away_is_forgotten_at_once),
		T(a_text_that_was_corrected_leaves_the_address_as_it_is),
		T(an_address_that_was_corrected_outlives_the_report_that_it_took_the_place_of),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
