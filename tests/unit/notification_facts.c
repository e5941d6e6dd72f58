/* notification_facts.c - what is known of a case follows its events. */
#include "notification_town.h"

#include "case_facts.h"

static void facts_follow_the_events_of_a_case(void **state)
{
	(void)state;
	Avvik__V1__CaseOpened opened = AVVIK__V1__CASE_OPENED__INIT;
	Avvik__V1__MeasureDecided measure = AVVIK__V1__MEASURE_DECIDED__INIT;
	Avvik__V1__CaseDecided decided = AVVIK__V1__CASE_DECIDED__INIT;
	Avvik__V1__CaseRemedied remedied = AVVIK__V1__CASE_REMEDIED__INIT;
	Avvik__V1__CaseClosed closed = AVVIK__V1__CASE_CLOSED__INIT;
	Avvik__V1__Event event = event_of(EVENT(CASE_REMEDIED), &remedied);
	const Avvik__V1__CaseKnown *now = NULL, *then;

	assert_int_equal(case_after(NULL, &event, arena, &now), AV_NOT_FOUND);
	event = event_of(EVENT(CASE_OPENED), &opened);
	opened.kind = LEX_SARAH;
	opened.unit = (char *)"solen";
	opened.preliminary_degree = AVVIK__V1__DEGREE__DEGREE_RISK;
	assert_int_equal(case_after(NULL, &event, arena, &now), AV_OK);
	assert_string_equal(now->unit, "solen");
	then = now;
	assert_int_equal(case_after(then, &event, arena, &now), AV_NOTHING);
	assert_ptr_equal(now, then);
	event = event_of(EVENT(CASE_DECIDED), &decided);
	decided.degree = AVVIK__V1__DEGREE__DEGREE_SERIOUS;
	assert_int_equal(case_after(then, &event, arena, &now), AV_OK);
	assert_int_equal(now->degree, AVVIK__V1__DEGREE__DEGREE_SERIOUS);
	assert_int_equal(then->degree, AVVIK__V1__DEGREE__DEGREE_RISK); /* the one before is not touched */
	event = event_of(EVENT(MEASURE_DECIDED), &measure);
	measure.measure_id = measure_id;
	measure.responsible = (char *)"bo";
	assert_int_equal(case_after(now, &event, arena, &now), AV_OK);
	assert_int_equal(now->n_measures, 1);
	assert_string_equal(now->measures[0]->responsible, "bo");
	event = event_of(EVENT(CASE_CLOSED), &closed);
	assert_int_equal(case_after(now, &event, arena, &now), AV_OK);
	assert_true(now->closed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		town_test(facts_follow_the_events_of_a_case),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
