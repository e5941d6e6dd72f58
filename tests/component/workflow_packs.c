/* workflow_packs.c - two rule packs by the day of receipt: a case keeps the law under which its report came
 * in */
#include "workflow_world.h"

#include <string.h>

static struct av_id received(struct world *w, const char *at, Avvik__V1__Law *law)
{
	Avvik__V1__ReportFiled *report = world_report(w);

	report->received_at_ms = harness_at(at);
	report->laws = law;
	return world_file(w, report);
}

static void a_report_has_the_law_of_the_day_it_was_received_and_keeps_it(void **state)
{
	Avvik__V1__Law sol = AVVIK__V1__LAW__LAW_SOL, lss = AVVIK__V1__LAW__LAW_LSS;
	Avvik__V1__Deadline *deadline;
	Avvik__V1__Case *found;
	struct world w;
	struct av_id before, last, first, disabled;

	(void)state;
	world_open_bare(&w, "2025-07-02 09:00");
	world_publish_directory(&w, NULL);
	world_publish_changed(&w, world_old_rules(&w));
	world_publish_rules(&w);
	before = received(&w, "2025-06-16 09:00", &sol);
	last = received(&w, "2025-06-30 23:59", &sol); /* filed under the new law, received under the old */
	first = received(&w, "2025-07-01 00:00", &sol);
	disabled = received(&w, "2025-06-30 12:00", &lss);
	found = world_case(&w, &before);
	assert_string_equal(found->rules_version, "se-2001-453");
	assert_string_equal(found->legal_reference, "14 kap. 6 § socialtjänstlagen (2001:453)");
	assert_string_equal(world_case(&w, &last)->rules_version, "se-2001-453");
	found = world_case(&w, &first);
	assert_string_equal(found->rules_version, "se-2025-07");
	assert_string_equal(found->legal_reference, "27 kap. 5 § socialtjänstlagen (2025:400)");
	assert_non_null(strstr(world_case(&w, &disabled)->legal_reference, "24 e §"));
	assert_string_equal(world_case(&w, &disabled)->rules_version, "se-2001-453");

	world_investigate(&w, &before); /* what is done later is done under the same law */
	world_document(&w, &before);
	world_decide(&w, &before, DEGREE(SERIOUS));
	deadline = world_deadline(&w, &before, "D4");
	assert_string_equal(deadline->rules_version, "se-2001-453");
	assert_non_null(strstr(deadline->source, "14 kap. 7 § SoL (2001:453)"));
	assert_string_equal(
		world_case(&w, &before)->legal_reference, "14 kap. 6 § socialtjänstlagen (2001:453)");
	harness_check_replay(w.h);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_report_has_the_law_of_the_day_it_was_received_and_keeps_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
