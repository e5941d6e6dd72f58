/* workflow_queries.c - cases and deadlines by filter and page, why, and the status of own reports */
#include "workflow_world.h"

#include <string.h>

#define CASES 60

/* Sixty cases: every third for hemtjanst, every fifth for gruppen, else boendet; every fourth a deviation. */
static void file_many(struct world *w, struct av_id ids[CASES], const char *units[CASES])
{
	for (int i = 0; i < CASES; i++) {
		Avvik__V1__ReportFiled *report = i % 4 == 0 ? world_deviation(w) : world_report(w);
		units[i] = i % 5 == 0 ? "gruppen" : i % 3 == 0 ? "hemtjanst" : "boendet";
		report->unit = TEXT(units[i]);
		ids[i] = world_file(w, report);
	}
}

/* All pages; answers how many, and that they come in order and none twice. */
static size_t list_all(struct world *w, Avvik__V1__ListCases list, struct av_id *ret_ids, size_t room)
{
	size_t count = 0;

	for (int page = 0; page < 100; page++) {
		Avvik__V1__Reply *reply = world_ask(w, COMMAND(LIST_CASES), &list.base);
		harness_want(reply, REPLY(DONE));
		for (size_t i = 0; i < reply->cases_found->n_cases; i++) {
			assert_true(count < room);
			ret_ids[count] = id_of(reply->cases_found->cases[i]->case_id);
			assert_int_equal(reply->cases_found->cases[i]->n_contents, 0);
			if (count)
				assert_true(memcmp(ret_ids[count - 1].bytes, ret_ids[count].bytes,
						    AV_ID_SIZE) < 0);
			count++;
		}
		if (!reply->cases_found->next_after_case_id.len)
			return count;
		assert_int_equal(reply->cases_found->n_cases, list.limit ? list.limit : 50);
		list.after_case_id = reply->cases_found->next_after_case_id;
	}
	fail_msg("pages without end");
	return 0;
}

static size_t wanted(const char *const units[CASES], const char *unit, int deviations)
{
	size_t count = 0;
	for (int i = 0; i < CASES; i++) {
		bool within = !unit || strcmp(unit, units[i]) == 0 ||
			      (strcmp(unit, "aldre") == 0 && strcmp(units[i], "gruppen") != 0);
		count += within && (deviations < 0 || (i % 4 == 0) == deviations);
	}
	return count;
}

static void pages_of_cases_are_whole_by_unit_kind_and_state(void **state)
{
	static const char *const filters[] = {NULL, "soc", "aldre", "boendet", "hemtjanst", "gruppen"};
	const char *units[CASES];
	struct av_id ids[CASES], got[CASES];
	struct world w;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	file_many(&w, ids, units);
	for (size_t f = 0; f < AV_COUNT(filters); f++)
		for (int deviations = -1; deviations <= 1; deviations++)
			for (uint32_t limit = 0; limit <= 9; limit += 3) {
				Avvik__V1__ListCases list = AVVIK__V1__LIST_CASES__INIT;
				const char *unit =
					filters[f] && strcmp(filters[f], "soc") == 0 ? NULL : filters[f];
				list.unit = TEXT(filters[f] ? filters[f] : "");
				list.limit = limit;
				if (deviations >= 0)
					list.kind = deviations ? AVVIK__V1__CASE_KIND__CASE_KIND_DEVIATION
							       : AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;
				assert_int_equal(
					list_all(&w, list, got, CASES), wanted(units, unit, deviations));
			}
	world_close(&w);
}

static void a_case_moves_between_the_pages_of_its_states(void **state)
{
	Avvik__V1__ListCases received = AVVIK__V1__LIST_CASES__INIT, open = AVVIK__V1__LIST_CASES__INIT,
			     bad = AVVIK__V1__LIST_CASES__INIT;
	Avvik__V1__CloseCase close = AVVIK__V1__CLOSE_CASE__INIT;
	struct av_id got[4], first, second;
	struct world w;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	first = world_file(&w, world_report(&w));
	second = world_file(&w, world_report(&w));
	received.state = STATE(RECEIVED);
	received.unit = TEXT("boendet");
	open.open_only = true;
	assert_int_equal(list_all(&w, received, got, 4), 2);
	world_take_position(&w, &first);
	assert_int_equal(list_all(&w, received, got, 4), 1);
	assert_memory_equal(got[0].bytes, second.bytes, AV_ID_SIZE);
	assert_int_equal(list_all(&w, open, got, 4), 2);
	world_does(&w, "sara", &first, ACT(CLOSE), &close.base, NULL);
	assert_int_equal(list_all(&w, open, got, 4), 1);
	bad.unit = TEXT("okänd");
	harness_want(world_ask(&w, COMMAND(LIST_CASES), &bad.base), REPLY(INVALID));
	world_close(&w);
}

/* A deviation too, which has some states of its own and shares others. */
static void a_deviation_is_listed_in_every_state(void **state)
{
	Avvik__V1__ListCases open = AVVIK__V1__LIST_CASES__INIT, under_way = AVVIK__V1__LIST_CASES__INIT;
	Avvik__V1__TakeForReview take = AVVIK__V1__TAKE_FOR_REVIEW__INIT;
	Avvik__V1__BeginInquiry begin = AVVIK__V1__BEGIN_INQUIRY__INIT;
	Avvik__V1__Law laws[] = {AVVIK__V1__LAW__LAW_LSS};
	struct av_id got[2], id;
	struct world w;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_deviation(&w));
	open.open_only = true;
	under_way.state = STATE(INVESTIGATION);
	world_does(&w, "anna", &id, ACT(TAKE_FOR_REVIEW), &take.base, NULL);
	assert_int_equal(list_all(&w, open, got, 2), 1);
	begin.laws = laws;
	begin.n_laws = 1;
	begin.category = TEXT("FALL");
	world_does(&w, "anna", &id, ACT(BEGIN_INQUIRY), &begin.base, NULL);
	assert_int_equal(list_all(&w, open, got, 2), 1);
	assert_int_equal(list_all(&w, under_way, got, 2), 1);
	world_close(&w);
}

static void a_system_lists_the_cases_of_its_units(void **state)
{
	static const char *const lss[] = {"lss", NULL};
	Avvik__V1__ListCases all = AVVIK__V1__LIST_CASES__INIT, other = AVVIK__V1__LIST_CASES__INIT;
	Avvik__V1__ListDeadlines deadlines = AVVIK__V1__LIST_DEADLINES__INIT;
	Avvik__V1__Reply *reply;
	const char *units[CASES];
	struct av_id ids[CASES], got[CASES];
	struct world w;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	file_many(&w, ids, units);
	w.cases.units = lss;
	other.unit = TEXT("boendet");
	assert_int_equal(list_all(&w, all, got, CASES), wanted(units, "gruppen", -1));
	assert_int_equal(list_all(&w, other, got, CASES), 0);
	reply = world_ask(&w, COMMAND(LIST_DEADLINES), &deadlines.base);
	harness_want(reply, REPLY(DONE));
	assert_true(reply->deadlines_found->n_deadlines > 0);
	for (size_t i = 0; i < reply->deadlines_found->n_deadlines; i++)
		assert_string_equal(reply->deadlines_found->deadlines[i]->unit_code, "gruppen");
	world_close(&w);
}

static void deadlines_are_listed_by_due_time(void **state)
{
	Avvik__V1__ListDeadlines list = AVVIK__V1__LIST_DEADLINES__INIT;
	const char *units[CASES];
	struct av_id ids[CASES];
	struct world w;
	int64_t last = 0;
	size_t count = 0, lex = 0;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	file_many(&w, ids, units);
	for (int i = 0; i < CASES; i++)
		lex += i % 4 != 0;
	list.limit = 7;
	for (int page = 0; page < 100; page++) {
		Avvik__V1__Reply *reply = world_ask(&w, COMMAND(LIST_DEADLINES), &list.base);
		harness_want(reply, REPLY(DONE));
		for (size_t i = 0; i < reply->deadlines_found->n_deadlines; i++, count++) {
			assert_true(reply->deadlines_found->deadlines[i]->due_at_ms >= last);
			last = reply->deadlines_found->deadlines[i]->due_at_ms;
		}
		if (!reply->deadlines_found->next_after_key.len)
			break;
		list.after_key = reply->deadlines_found->next_after_key;
	}
	assert_int_equal(count, 2 * CASES); /* D2 and D3; DEV1 and DEV2 */
	list = (Avvik__V1__ListDeadlines)AVVIK__V1__LIST_DEADLINES__INIT;
	list.limit = 500;
	list.due_before_ms = harness_at("2026-04-10 00:00");
	assert_int_equal(world_ask(&w, COMMAND(LIST_DEADLINES), &list.base)->deadlines_found->n_deadlines,
		lex); /* D2 */
	world_close(&w);
}

static void why_tells_each_day_with_its_reason(void **state)
{
	Avvik__V1__GetWhy get = AVVIK__V1__GET_WHY__INIT;
	Avvik__V1__Reply *reply;
	Avvik__V1__Why *why;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-19 09:00");
	id = world_file(&w, world_report(&w));
	world_find_serious(&w, &id);
	world_notify(&w, &id, false);
	get.case_id = BINARY(id);
	assert_int_equal(world_ask(&w, COMMAND(GET_WHY), &get.base)->why_found->n_whys, 4);
	get.rule = TEXT("D5");
	reply = world_ask(&w, COMMAND(GET_WHY), &get.base);
	harness_want(reply, REPLY(DONE));
	assert_string_equal(reply->why_found->number, "2026-0001");
	assert_int_equal(reply->why_found->n_whys, 1);
	why = reply->why_found->whys[0];
	assert_string_equal(why->name, "lämna in utredningen till IVO");
	assert_string_equal(why->anchor, "anmält till IVO utan färdig utredning");
	assert_string_equal(why->met_by, "utredningen inlämnad till IVO");
	assert_int_equal(why->n_days, 6);
	assert_string_equal(why->days[2]->reason, "Midsommarafton");
	assert_int_equal(why->days[1]->run, 60);
	get.rule = TEXT("D99");
	harness_want(world_ask(&w, COMMAND(GET_WHY), &get.base), REPLY(NOT_FOUND));
	world_close(&w);
}

static void a_case_is_found_by_its_number_and_says_what_can_be_done(void **state)
{
	Avvik__V1__GetCase get = AVVIK__V1__GET_CASE__INIT;
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	get.number = TEXT("2026-0001");
	reply = world_ask(&w, COMMAND(GET_CASE), &get.base);
	harness_want(reply, REPLY(DONE));
	assert_memory_equal(reply->case_found->case_->case_id.data, id.bytes, AV_ID_SIZE);
	assert_int_equal(reply->case_found->case_->n_acts_possible, 14);
	assert_string_equal(reply->case_found->case_->acts_possible[1]->name, "remedy");
	get.number = TEXT("2026-0002");
	harness_want(world_ask(&w, COMMAND(GET_CASE), &get.base), REPLY(NOT_FOUND));
	get.number = TEXT("");
	harness_want(world_ask(&w, COMMAND(GET_CASE), &get.base), REPLY(NOT_FOUND));
	world_close(&w);
}

static void a_publisher_asks_for_its_own_reports_alone(void **state)
{
	Avvik__V1__GetReportStatus get = AVVIK__V1__GET_REPORT_STATUS__INIT;
	struct av_principal other = harness_principal("alarm", "publisher", AV_MAY_PUBLISH);
	Avvik__V1__Reply *reply;
	struct world w;
	struct av_id id;

	(void)state;
	world_open(&w, "2026-04-07 09:00");
	id = world_file(&w, world_report(&w));
	get.report_id = BINARY(id);
	reply = harness_order(w.h, &w.publisher, NULL, NULL, COMMAND(GET_REPORT_STATUS), &get.base);
	harness_want(reply, REPLY(DONE));
	assert_string_equal(reply->report_status_found->number, "2026-0001");
	assert_int_equal(reply->report_status_found->state, STATE(RECEIVED));
	assert_false(reply->report_status_found->closed);
	harness_want(harness_order(w.h, &other, NULL, NULL, COMMAND(GET_REPORT_STATUS), &get.base),
		REPLY(NOT_FOUND));
	harness_want(harness_order(w.h, &w.cases, NULL, NULL, COMMAND(GET_REPORT_STATUS), &get.base),
		REPLY(FORBIDDEN));
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_of_cases_are_whole_by_unit_kind_and_state),
		cmocka_unit_test(a_case_moves_between_the_pages_of_its_states),
		cmocka_unit_test(a_deviation_is_listed_in_every_state),
		cmocka_unit_test(a_system_lists_the_cases_of_its_units),
		cmocka_unit_test(deadlines_are_listed_by_due_time),
		cmocka_unit_test(why_tells_each_day_with_its_reason),
		cmocka_unit_test(a_case_is_found_by_its_number_and_says_what_can_be_done),
		cmocka_unit_test(a_publisher_asks_for_its_own_reports_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
