/* notification_delivery.c - what has been decided is tried until it arrives or is given up, and both are
 * known. */
#include "notification_support.h"

#include "compose.h"
#include "notice_rules.h"

static struct harness *one_case(struct av_id id, const char *mail)
{
	struct harness *h = town_open();
	town_told(h);
	assert_int_equal(town_report(h, id, mail), AV_OK);
	assert_int_equal(town_tell(h, town_opened(h, id, LEX_SARAH, "solen", CASE_STATE(RECEIVED))), AV_OK);
	return h;
}

static Avvik__V1__Notice *first_notice(struct harness *h, struct av_id case_id)
{
	struct av_principal admin =
		harness_principal("admin", "administrator", AV_MAY_ADMINISTER | AV_MAY_QUERY);
	Avvik__V1__ListNotices list = AVVIK__V1__LIST_NOTICES__INIT;
	list.case_id = (ProtobufCBinaryData){AV_ID_SIZE, case_id.bytes};
	Avvik__V1__Reply *reply =
		harness_order(h, &admin, NULL, NULL, AVVIK__V1__COMMAND__BODY_LIST_NOTICES, &list.base);
	harness_want(reply, AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE);
	assert_true(reply->notices_found->n_notices > 0);
	return reply->notices_found->notices[0];
}

static void a_mail_is_written_down_before_it_is_sent_and_delivered_once(void **state)
{
	(void)state;
	struct av_id id = town_id(1);
	struct harness *h = one_case(id, NULL);
	struct underway mails[UNDERWAY_MAX];

	assert_int_equal(town_under_way(h, mails), 0);
	harness_tick(h, h->now_ms);
	assert_int_equal(town_under_way(h, mails), 1);
	assert_int_equal(harness_next_due(h), 0);
	town_ends(h, OUTCOME_DELIVERED, false);
	assert_int_equal(town_under_way(h, mails), 0);
	const Avvik__V1__NoticeDelivered *delivered =
		harness_last(h, EVENT(NOTICE_DELIVERED))->notice_delivered;
	assert_int_equal(delivered->attempts, 1);
	assert_false(delivered->perhaps_twice);
	assert_int_equal(first_notice(h, id)->state, NOTICE_STATE(DELIVERED));
	harness_check_replay(h);
	harness_close(&h);
}

static void a_failed_mail_is_tried_for_about_a_day_and_then_given_up(void **state)
{
	(void)state;
	struct av_id id = town_id(1);
	struct harness *h = one_case(id, NULL);
	int64_t began_ms = h->now_ms;
	struct underway mails[UNDERWAY_MAX];
	unsigned int attempts = 0;

	for (harness_tick(h, h->now_ms); town_under_way(h, mails) == 1;
		harness_tick(h, harness_next_due(h))) {
		assert_int_equal(mails[0].attempt, ++attempts);
		town_ends(h, OUTCOME_UNREACHABLE, false);
		const Avvik__V1__Notice *notice = first_notice(h, id);
		if (harness_next_due(h) == 0)
			break;
		assert_int_equal(notice->state, NOTICE_STATE(RETRYING));
		assert_int_equal(notice->attempts, attempts);
		assert_true(notice->next_attempt_at_ms == harness_next_due(h));
		assert_string_equal(notice->last_error, "server_unreachable");
	}
	assert_int_equal(attempts, 12);
	assert_in_range((uint64_t)(h->now_ms - began_ms) / 3600000, 22, 26);
	const Avvik__V1__NoticeGivenUp *given_up = harness_last(h, EVENT(NOTICE_GIVEN_UP))->notice_given_up;
	assert_int_equal(given_up->attempts, 12);
	assert_string_equal(given_up->error, "server_unreachable");
	assert_int_equal(first_notice(h, id)->state, NOTICE_STATE(GIVEN_UP));
	harness_check_replay(h);
	harness_close(&h);
}

static void a_refusal_for_good_is_given_up_at_once(void **state)
{
	(void)state;
	static const enum outcome finals[] = {OUTCOME_REFUSED, OUTCOME_NO_ADDRESS};

	for (size_t i = 0; i < AV_COUNT(finals); i++) {
		struct av_id id = town_id(1);
		struct harness *h = one_case(id, NULL);
		harness_tick(h, h->now_ms);
		town_ends(h, finals[i], false);
		assert_int_equal(harness_count(h, EVENT(NOTICE_GIVEN_UP), 0), 1);
		assert_int_equal(harness_next_due(h), 0);
		harness_close(&h);
	}
}

static void an_administrator_tries_a_given_up_notice_again(void **state)
{
	(void)state;
	struct av_id id = town_id(1);
	struct harness *h = one_case(id, NULL);
	struct av_principal admin =
		harness_principal("admin", "administrator", AV_MAY_ADMINISTER | AV_MAY_QUERY);
	Avvik__V1__RetryNotice retry = AVVIK__V1__RETRY_NOTICE__INIT;
	struct underway mails[UNDERWAY_MAX];

	harness_tick(h, h->now_ms);
	town_ends(h, OUTCOME_REFUSED, false);
	retry.notice_id = first_notice(h, id)->notice_id;
	Avvik__V1__Reply *reply =
		harness_order(h, &admin, "r-1", NULL, AVVIK__V1__COMMAND__BODY_RETRY_NOTICE, &retry.base);
	harness_want(reply, AVVIK__V1__REPLY_STATUS__REPLY_STATUS_INVALID);
	retry.reason = (char *)"the address was corrected";
	for (int i = 0; i < 2; i++)
		harness_want(harness_order(h, &admin, "r-2", NULL, AVVIK__V1__COMMAND__BODY_RETRY_NOTICE,
				     &retry.base),
			AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE);
	assert_int_equal(harness_count(h, EVENT(NOTICE_RETRIED), 0), 1);
	harness_tick(h, h->now_ms);
	assert_int_equal(town_under_way(h, mails), 1);
	harness_want(
		harness_order(h, &admin, "r-3", NULL, AVVIK__V1__COMMAND__BODY_RETRY_NOTICE, &retry.base),
		AVVIK__V1__REPLY_STATUS__REPLY_STATUS_WRONG_STATE); /* it is being sent */
	town_ends(h, OUTCOME_DELIVERED, false);
	harness_want(
		harness_order(h, &admin, "r-4", NULL, AVVIK__V1__COMMAND__BODY_RETRY_NOTICE, &retry.base),
		AVVIK__V1__REPLY_STATUS__REPLY_STATUS_WRONG_STATE); /* it was delivered */
	assert_int_equal(harness_count(h, EVENT(NOTICE_DELIVERED), 0), 1);
	harness_check_replay(h);
	harness_close(&h);
}

static void a_mail_that_was_under_way_when_the_process_ended_is_sent_again_and_counted(void **state)
{
	(void)state;
	struct av_id id = town_id(1);
	struct harness *h = one_case(id, NULL);
	struct underway before[UNDERWAY_MAX], after[UNDERWAY_MAX];

	harness_tick(h, h->now_ms);
	assert_int_equal(town_under_way(h, before), 1);
	harness_restart(h);
	harness_tick(h, h->now_ms);
	assert_int_equal(town_under_way(h, after),
		1); /* as it was: nothing is claimed before the start is put right */
	town_started(h);
	assert_int_equal(town_under_way(h, after), 0);
	harness_tick(h, h->now_ms);
	assert_int_equal(town_under_way(h, after), 1);
	assert_memory_equal(
		after[0].leader.bytes, before[0].leader.bytes, AV_ID_SIZE); /* and so its Message-ID */
	assert_int_equal(after[0].attempt, 2);
	town_ends(h, OUTCOME_DELIVERED, false);
	assert_true(harness_last(h, EVENT(NOTICE_DELIVERED))->notice_delivered->perhaps_twice);
	harness_close(&h);
}

static void an_answer_that_did_not_come_is_counted_as_perhaps_twice(void **state)
{
	(void)state;
	struct av_id id = town_id(1);
	struct harness *h = one_case(id, NULL);

	harness_tick(h, h->now_ms);
	town_ends(h, OUTCOME_CUT_OFF, true);
	harness_tick(h, harness_next_due(h));
	town_ends(h, OUTCOME_DELIVERED, false);
	assert_true(harness_last(h, EVENT(NOTICE_DELIVERED))->notice_delivered->perhaps_twice);
	harness_close(&h);
}

static void an_end_that_is_told_twice_or_too_late_changes_nothing(void **state)
{
	(void)state;
	struct av_id id = town_id(1);
	struct harness *h = one_case(id, NULL);
	struct underway mails[UNDERWAY_MAX];
	struct delivery_ended ended;

	harness_tick(h, h->now_ms);
	town_under_way(h, mails);
	town_ends(h, OUTCOME_NOT_NOW, false);
	harness_tick(h, harness_next_due(h));
	memset(&ended, 0, sizeof ended);
	memcpy(ended.leader, mails[0].leader.bytes, AV_ID_SIZE);
	ended.attempt = 1; /* of the attempt before */
	ended.outcome = OUTCOME_DELIVERED;
	harness_inner(h, INNER_ENDED, av_bytes(&ended, sizeof ended));
	assert_int_equal(harness_count(h, EVENT(NOTICE_DELIVERED), 0), 0);
	assert_int_equal(town_under_way(h, mails), 1);
	town_ends(h, OUTCOME_DELIVERED, false);
	ended.attempt = 2;
	harness_inner(h, INNER_ENDED, av_bytes(&ended, sizeof ended));
	assert_int_equal(harness_count(h, EVENT(NOTICE_DELIVERED), 0), 1);
	harness_close(&h);
}

static void no_more_mails_are_claimed_than_are_sent_at_a_time(void **state)
{
	(void)state;
	struct harness *h = town_open();
	struct underway mails[UNDERWAY_MAX];

	town_told(h);
	for (unsigned char i = 1; i <= 40; i++) {
		town_report(h, town_id(i), "asa@lindaker.se");
		town_tell(h, town_opened(h, town_id(i), LEX_SARAH, "solen", CASE_STATE(RECEIVED)));
	}
	harness_tick(h, h->now_ms);
	assert_int_equal(town_under_way(h, mails), UNDERWAY_MAX);
	assert_int_equal(harness_next_due(h), 0);
	town_all_delivered(h);
	assert_int_equal(harness_count(h, EVENT(NOTICE_DELIVERED), 0), 80);
	harness_check_replay(h);
	harness_close(&h);
}

static void a_task_waits_for_the_morning_and_a_statutory_rung_does_not(void **state)
{
	(void)state;
	struct av_id id = town_id(1);
	struct harness *h = town_open();
	struct underway mails[UNDERWAY_MAX];

	h->now_ms = harness_at("2026-04-07 22:30");
	town_told(h);
	town_report(h, id, NULL);
	town_tell(h, town_opened(h, id, LEX_SARAH, "solen", CASE_STATE(RECEIVED)));
	harness_tick(h, h->now_ms);
	assert_int_equal(town_under_way(h, mails), 0);
	assert_true(harness_next_due(h) == harness_at("2026-04-08 07:00"));
	town_tell(h, town_rung(h, id, "D5", false));
	harness_tick(h, h->now_ms);
	assert_int_equal(town_under_way(h, mails), 1);
	town_ends(h, OUTCOME_DELIVERED, false);
	harness_tick(h, harness_at("2026-04-08 07:00"));
	town_ends(h, OUTCOME_DELIVERED, false);
	assert_int_equal(harness_count(h, EVENT(NOTICE_DELIVERED), 0), 2);
	harness_close(&h);
}

static void a_task_that_the_end_of_its_case_overtook_is_not_sent(void **state)
{
	(void)state;
	struct av_id id = town_id(1);
	struct harness *h = town_open();

	h->now_ms = harness_at("2026-04-07 22:30");
	town_told(h);
	town_report(h, id, "asa@lindaker.se");
	town_tell(h, town_opened(h, id, LEX_SARAH, "solen", CASE_STATE(RECEIVED)));
	town_tell(h, town_closed(h, id));
	harness_tick(h, harness_at("2026-04-08 07:00"));
	town_all_delivered(h);
	assert_int_equal(
		harness_count(h, EVENT(NOTICE_DELIVERED), 0), 2); /* the acknowledgement and the feedback */
	assert_int_equal(harness_count(h, EVENT(NOTICE_GIVEN_UP), 0), 1);
	assert_string_equal(harness_last(h, EVENT(NOTICE_GIVEN_UP))->notice_given_up->error, "case_closed");
	harness_check_replay(h);
	harness_close(&h);
}

static void late_rungs_to_one_person_share_a_mail(void **state)
{
	(void)state;
	struct harness *h = town_open();
	struct underway mails[UNDERWAY_MAX];

	town_told(h);
	for (unsigned char i = 1; i <= 5; i++) {
		town_report(h, town_id(i), NULL);
		town_tell(h, town_opened(h, town_id(i), LEX_SARAH, "solen", CASE_STATE(RECEIVED)));
	}
	town_all_delivered(h);
	for (unsigned char i = 1; i <= 5; i++)
		town_tell(h, town_rung(h, town_id(i), "D5", true));
	harness_tick(h, h->now_ms);
	assert_int_equal(town_under_way(h, mails), 0);
	harness_tick(h, h->now_ms + NOTICE_GATHER_MS);
	assert_int_equal(town_under_way(h, mails), 1);
	assert_int_equal(mails[0].count, 5);
	town_ends(h, OUTCOME_NOT_NOW, false);
	harness_tick(h, harness_next_due(h));
	assert_int_equal(town_under_way(h, mails), 1);
	assert_int_equal(mails[0].count, 5); /* together again */
	town_ends(h, OUTCOME_DELIVERED, false);
	assert_int_equal(harness_count(h, EVENT(NOTICE_DELIVERED), 0), 10);
	harness_check_replay(h);
	harness_close(&h);
}

/* --- the mail itself --- */

/* The message as text, soft line breaks taken out. */
static char *joined(struct harness *h, struct av_bytes message)
{
	const char *at = message.data, *end = at + message.size;
	char *text = av_arena_zalloc(h->arena, message.size + 1), *to = text;
	while (at < end) {
		if (end - at >= 3 && memcmp(at, "=\r\n", 3) == 0)
			at += 3;
		else
			*to++ = *at++;
	}
	return text;
}

/* The one at `index` of those that are under way, as it leaves. */
static char *mail_text(struct harness *h, size_t index, const char **ret_to)
{
	struct underway mails[UNDERWAY_MAX];
	struct templates *templates = templates_open(NULL);
	Avvik__V1__Mail settings = AVVIK__V1__MAIL__INIT;
	struct known *known = known_create();
	struct composed composed;

	settings.from = (char *)"avvik@lindaker.se";
	assert_true(town_under_way(h, mails) > index);
	struct av_txn *txn = harness_read(h);
	struct composer composer = {.txn = txn,
		.keys = h->keys,
		.known = known,
		.templates = templates,
		.mail = &settings,
		.instance = "test"};
	assert_int_equal(compose(&composer, &mails[index], h->arena, &composed), OUTCOME_DELIVERED);
	assert_string_equal(composed.from, "avvik@lindaker.se");
	*ret_to = composed.to;
	templates_close(&templates);
	av_txn_abort(&txn);
	known_destroy(known);
	return joined(h, composed.message);
}

static void a_mail_names_the_case_and_the_person_and_nothing_else(void **state)
{
	(void)state;
	struct harness *h = one_case(town_id(1), "asa@lindaker.se");
	struct underway mails[UNDERWAY_MAX];
	const char *to;

	harness_tick(h, h->now_ms);
	assert_int_equal(town_under_way(h, mails), 2);
	for (size_t i = 0; i < 2; i++) {
		char *text = mail_text(h, i, &to);
		assert_non_null(strstr(text, "2026-0001"));
		assert_non_null(strstr(text, to));
		assert_true(strcmp(to, "anna@lindaker.se") == 0 || strcmp(to, "asa@lindaker.se") == 0);
		assert_null(strstr(text, "{{"));
	}
	harness_close(&h);
}

static Avvik__V1__LegalReference *reference(
	struct harness *h, const char *id, Avvik__V1__Law law, const char *text)
{
	Avvik__V1__LegalReference *made =
		AV_NEW(h->arena, Avvik__V1__LegalReference, avvik__v1__legal_reference);
	made->id = (char *)id;
	made->law = law;
	made->text = (char *)text;
	return made;
}

/* Not the one by which it is remedied, which is the case's own. */
static void who_is_to_notify_ivo_reads_the_paragraph_of_notifying_by_the_cases_law(void **state)
{
	(void)state;
	static Avvik__V1__Law laws[] = {AVVIK__V1__LAW__LAW_SOL, AVVIK__V1__LAW__LAW_LSS};
	static const char *const says[] = {"Lagrum: 27 kap. 6 =C2=A7", "Lagrum: 24 f =C2=A7"};

	for (size_t i = 0; i < AV_COUNT(laws); i++) {
		struct harness *h = town_open();
		struct av_id id = town_id(1);
		Avvik__V1__SeriousFound *found =
			AV_NEW(h->arena, Avvik__V1__SeriousFound, avvik__v1__serious_found);
		Avvik__V1__Event *rules = town_rules(h),
				 *opened = town_opened(h, id, LEX_SARAH, "solen", CASE_STATE(RECEIVED));
		Avvik__V1__RulePack *pack = rules->rules_published->rules;
		Avvik__V1__LegalReference *references[] = {reference(h, "remedy", laws[0], "27 kap. 5 §"),
			reference(h, "remedy", laws[1], "24 e §"),
			reference(h, "notify", laws[0], "27 kap. 6 §"),
			reference(h, "notify", laws[1], "24 f §")};
		const char *to;

		pack->references = references;
		pack->n_references = AV_COUNT(references);
		pack->notices[pack->n_notices - 1]->to[0]->role = (char *)"SAS";
		pack->notices[pack->n_notices - 1]->template_ = (char *)"serious-found-task";
		opened->case_opened->laws = &laws[i];
		opened->case_opened->n_laws = 1;
		opened->case_opened->legal_reference = references[i]->text;
		assert_int_equal(harness_feed(h, "intake", rules), AV_OK);
		town_tell_directory(h, town_directory(h, false, "anna@lindaker.se"));
		town_report(h, id, NULL);
		town_tell(h, opened);
		town_all_delivered(h);
		town_tell(h, harness_event(h, EVENT(SERIOUS_FOUND), &found->base, &id, 0));
		harness_tick(h, h->now_ms);
		char *text = mail_text(h, 0, &to);
		assert_string_equal(to, "dan@lindaker.se");
		if (!strstr(text, says[i]))
			fail_msg("law %d: no \"%s\" in:\n%s", (int)laws[i], says[i], text);
		harness_close(&h);
	}
}

static void a_person_without_an_address_is_given_up_and_not_forgotten(void **state)
{
	(void)state;
	struct av_id id = town_id(1);
	struct harness *h = town_open();
	struct underway mails[UNDERWAY_MAX];
	struct templates *templates = templates_open(NULL);
	struct known *known = known_create();
	struct composed composed;

	harness_feed(h, "intake", town_rules(h));
	town_tell_directory(h, town_directory(h, false, "no address"));
	town_report(h, id, NULL);
	town_tell(h, town_opened(h, id, DEVIATION, "solen", CASE_STATE(RECEIVED)));
	assert_string_equal(town_notices(h), "N1:anna");
	harness_tick(h, h->now_ms);
	assert_int_equal(town_under_way(h, mails), 1);
	struct av_txn *txn = harness_read(h);
	struct composer composer = {
		.txn = txn, .keys = h->keys, .known = known, .templates = templates, .instance = "test"};
	assert_int_equal(compose(&composer, &mails[0], h->arena, &composed), OUTCOME_NO_ADDRESS);
	av_txn_abort(&txn);
	templates_close(&templates);
	known_destroy(known);
	harness_close(&h);
}

/* A server that was away for long leaves more open notices than one turn can look at. */
static void delivery_begins_with_more_open_notices_than_one_turn_looks_at(void **state)
{
	unsigned char key[1 + AV_ID_SIZE] = {NOTICE_STATE(DECIDED)}, run[8];
	struct harness *h = town_open();
	struct av_txn *txn;
	uint64_t before;

	(void)state;
	assert_int_equal(av_txn_begin_write(h->store, &txn), AV_OK);
	before = av_counter(txn, RUN_COUNTER);
	for (uint32_t i = 0; i < 2 * OPEN_PORTION + 100; i++) {
		av_put_u32(key + 1, i);
		av_put(txn, TABLE_STATES, av_bytes(key, sizeof key), av_bytes(NULL, 0));
	}
	assert_int_equal(av_txn_commit(&txn), AV_OK);
	harness_restart(h);
	av_put_u64(run, before);
	for (int portion = 0; portion < 3; portion++) {
		txn = harness_read(h);
		assert_int_equal(av_counter(txn, RUN_COUNTER), before);
		av_txn_abort(&txn);
		assert_int_equal(harness_inner(h, INNER_STARTED, av_bytes(run, sizeof run)), AV_OK);
	}
	txn = harness_read(h);
	assert_int_equal(av_counter(txn, RUN_COUNTER), before + 1);
	av_txn_abort(&txn);
	harness_close(&h);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_mail_is_written_down_before_it_is_sent_and_delivered_once),
		T(a_failed_mail_is_tried_for_about_a_day_and_then_given_up),
		T(a_refusal_for_good_is_given_up_at_once),
		T(an_administrator_tries_a_given_up_notice_again),
		T(a_mail_that_was_under_way_when_the_process_ended_is_sent_again_and_counted),
		T(an_answer_that_did_not_come_is_counted_as_perhaps_twice),
		T(an_end_that_is_told_twice_or_too_late_changes_nothing),
		T(no_more_mails_are_claimed_than_are_sent_at_a_time),
		T(a_task_waits_for_the_morning_and_a_statutory_rung_does_not),
		T(a_task_that_the_end_of_its_case_overtook_is_not_sent),
		T(late_rungs_to_one_person_share_a_mail),
		T(delivery_begins_with_more_open_notices_than_one_turn_looks_at),
		T(a_mail_names_the_case_and_the_person_and_nothing_else),
		T(who_is_to_notify_ivo_reads_the_paragraph_of_notifying_by_the_cases_law),
		T(a_person_without_an_address_is_given_up_and_not_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
