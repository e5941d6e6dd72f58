/* intake_rulepack.c - a rule pack is held against itself and against what the messages know, and every fault
 * is listed */
#include "intake_support.h"
#include "avvik/v1/case.pb-c.h"
#include "rulepack_rules.h"

static Avvik__V1__RulePack *pack;
static struct av_faults faults;

static int start(void **state)
{
	if (support_start(state) != 0)
		return -1;
	pack = support_rules(*state);
	av_faults_init(&faults, *state);
	return 0;
}

#define rules_test(function) cmocka_unit_test_setup_teardown(function, start, support_stop)
#define TEXT(text) ((char *)(uintptr_t)(text))

static int check(void **state)
{
	av_faults_init(&faults, *state);
	return rulepack_check(pack, *state, &faults);
}

static size_t deadline(const char *id)
{
	size_t i = 0;
	while (strcmp(pack->deadlines[i]->id, id) != 0)
		i++;
	return i;
}

static void the_shipped_rule_pack_stands(void **state)
{
	int status = check(state);
	support_assert_no_faults(&faults);
	assert_int_equal(status, AV_OK);
}

static void more_than_ten_faults_are_listed_at_once_each_with_its_remedy(void **state)
{
	pack->valid_until_on = pack->valid_from_on - 1;
	pack->roles[1]->code = pack->roles[0]->code; /* BITR_EC is gone, too */
	pack->categories[1]->parent = TEXT("NIX");
	pack->categories[2]->parent = pack->categories[1]->code;
	pack->areas[0]->name = TEXT(" ");
	pack->n_purposes = 0;
	pack->deadlines[0]->source = TEXT("");
	pack->deadlines[1]->met_by[0] = pack->deadlines[1]->starts;
	pack->notices[0]->event = TEXT("CaseOpend");
	pack->notices[1]->n_to = 0;
	pack->notices[2]->id = pack->notices[0]->id;
	pack->acts[0]->act = TEXT("plaice");
	pack->risk->size = 5;
	pack->references[1]->law = pack->references[0]->law;
	pack->office_hours->to_minute = pack->office_hours->from_minute;
	assert_int_equal(check(state), AV_INVALID);
	static const char *const want[] = {
		"contradiction valid_until_on|last day",
		"duplicate roles[1].code|once",
		"unknown_reference categories[1].parent|add it",
		"contradiction categories[2].parent|two levels",
		"required areas[0].name|people read",
		"required purposes|at least one",
		"required deadlines[0].source|law and paragraph",
		"contradiction deadlines[1].met_by[0]|meets itself",
		"unknown_reference notices[0].event|catalogue",
		"required notices[1].to|recipient",
		"duplicate notices[2].id|of its own",
		"unknown_reference acts[0].act|ActOnCase",
		"required acts|`name_reporter`",
		"contradiction risk.probabilities|size is 5",
		"contradiction risk.severities|size is 5",
		"duplicate references[1]|references[0]",
		"out_of_range office_hours|minutes of the day",
	};
	size_t role_gone = 0;
	for (const struct av_fault *fault = faults.first; fault; fault = fault->next)
		role_gone += fault->code == FAULT(UNKNOWN_REFERENCE) &&
			     strncmp(fault->path, "acts[", 5) == 0 && strstr(fault->path, ".roles[") != NULL;
	assert_true(role_gone > 0);
	struct av_faults others = faults;
	others.count -= role_gone;
	support_assert_faults(&others, want, sizeof(want) / sizeof(*want));
}

static void anchors_that_do_not_agree_are_named(void **state)
{
	Avvik__V1__DeadlineRule *rule = pack->deadlines[deadline("D25")];
	rule->per_measure = false;
	rule->met_by[0] = rule->cancelled_by[0];
	check(state);
	/* "responsible" is of a measure: the recipients of ladder and rows become wrong with it */
	bool per_measure = false, cancelled = false, responsible = false;
	for (const struct av_fault *fault = faults.first; fault; fault = fault->next) {
		per_measure |= strstr(fault->path, ".per_measure") != NULL;
		cancelled |= strstr(fault->path, ".cancelled_by[0]") != NULL;
		responsible |= strstr(fault->text, "is of a measure") != NULL;
	}
	assert_true(per_measure && cancelled && responsible);
}

static void a_deadline_has_a_length_that_its_unit_allows(void **state)
{
	size_t d5 = deadline("D5"), d2 = deadline("D2");
	pack->deadlines[d2]->moved = true;
	pack->deadlines[d2]->statutory = true;
	pack->deadlines[d5]->count = 0;
	pack->deadlines[d5]->n_kinds = 0;
	check(state);
	char moved[80], statutory[80], count[80], kinds[80];
	snprintf(moved, sizeof(moved), "contradiction deadlines[%zu].moved|remove it", d2);
	snprintf(statutory, sizeof(statutory), "contradiction deadlines[%zu].statutory|set it to false", d2);
	snprintf(count, sizeof(count), "required deadlines[%zu].count|a length", d5);
	snprintf(kinds, sizeof(kinds), "required deadlines[%zu].kinds|which cases", d5);
	assert_faults(&faults, moved, statutory, count, kinds);
}

static void a_ladder_goes_from_warnings_to_escalations(void **state)
{
	size_t d5 = deadline("D5");
	Avvik__V1__Rung **ladder = pack->deadlines[d5]->ladder;
	char want[5][100];
	/* 30, 14, 3 days before, due, overdue, 3 working days after */
	Avvik__V1__Rung *first = ladder[0];
	ladder[0] = ladder[1];
	ladder[1] = first;
	ladder[3]->count = 2;
	ladder[5]->count = 0;
	ladder[2]->unit = AVVIK__V1__PERIOD_UNIT__PERIOD_UNIT_HOURS;
	ladder[4]->n_to = 0;
	check(state);
	snprintf(want[0], 100, "contradiction deadlines[%zu].ladder[1]|come after", d5);
	snprintf(want[1], 100, "contradiction deadlines[%zu].ladder[3].count|warnings and escalations", d5);
	snprintf(want[2], 100, "required deadlines[%zu].ladder[5].count|how long", d5);
	snprintf(want[3], 100, "contradiction deadlines[%zu].ladder[2].unit|days or working_days", d5);
	snprintf(want[4], 100, "required deadlines[%zu].ladder[4].to|recipient", d5);
	assert_faults(&faults, want[0], want[1], want[2], want[3], want[4]);
}

static void a_warning_comes_after_the_start(void **state)
{
	size_t d3 = deadline("D3");
	char want[100];
	pack->deadlines[d3]->ladder[0]->count = 30; /* of thirty days */
	check(state);
	snprintf(want, sizeof(want), "contradiction deadlines[%zu].ladder[0].count|after its start", d3);
	assert_faults(&faults, want);
}

static void a_rung_that_no_row_tells_of_is_named(void **state)
{
	size_t dev = deadline("DEV1");
	char want[100];
	for (size_t i = 0; i < pack->n_notices; i++)
		if (strcmp(pack->notices[i]->id, "N111") == 0)
			pack->notices[i]->deadline = TEXT("D2");
	check(state);
	snprintf(want, sizeof(want), "required deadlines[%zu].ladder[1]|RungFired", dev);
	assert_faults(&faults, want);
}

static void rows_and_recipients_name_what_exists(void **state)
{
	Avvik__V1__NoticeRule *row = pack->notices[0]; /* CaseOpened */
	row->deadline = TEXT("D2");
	row->n_operations = 1;
	row->operations = (char *[]){TEXT("statlig")};
	row->to[0]->role = TEXT("responsible");
	pack->notices[1]->to[0]->from_level = TEXT("unit"); /* of the reporter */
	pack->notices[1]->to[0]->assigned = true;
	pack->notices[2]->to[0]->from_level = TEXT("våning");
	pack->notices[3]->to[0]->role = TEXT("KUNG");
	check(state);
	assert_faults(&faults, "contradiction notices[0].deadline|RungFired only",
		"unknown_value notices[0].operations[0]|in_house_contract",
		"contradiction notices[0].to[0].role|of a measure",
		"contradiction notices[1].to[0].from_level|remove it",
		"contradiction notices[1].to[0].assigned|remove it",
		"unknown_value notices[2].to[0].from_level|department",
		"unknown_reference notices[3].to[0].role|`roles`");
}

static void an_act_has_one_row_for_each_kind_and_roles_that_exist(void **state)
{
	pack->acts[1]->act = pack->acts[0]->act; /* inform_affected is gone */
	pack->acts[2]->roles[0] = TEXT("KUNG");
	check(state);
	assert_faults(&faults, "duplicate acts[1]|acts[0]", "required acts|`inform_affected`",
		"unknown_reference acts[2].roles[0]|`roles`");
}

static void hours_and_closures_are_in_order(void **state)
{
	int32_t days[] = {20600, 20600};
	pack->quiet_hours->from_minute = pack->quiet_hours->to_minute = 60;
	pack->n_closures_on = 2;
	pack->closures_on = days;
	pack->risk->lex_sarah_product = 17;
	check(state);
	assert_faults(&faults, "out_of_range quiet_hours|no length", "contradiction closures_on[1]|in order",
		"out_of_range risk.lex_sarah_product|at most 16");
	pack->n_closures_on = 0;
	pack->quiet_hours->to_minute = 1440;
	pack->risk->lex_sarah_product = 8;
	pack->risk->lex_sarah_severity = 5;
	check(state);
	assert_faults(&faults, "out_of_range quiet_hours|0 to 1439",
		"out_of_range risk.lex_sarah_severity|severest is 4");
}

static void a_pack_without_scale_roles_or_acts_is_refused(void **state)
{
	pack->risk = NULL;
	size_t acts = 0;
	const ProtobufCMessageDescriptor *type = &avvik__v1__act_on_case__descriptor;
	for (unsigned i = 0; i < type->n_fields; i++)
		acts += (type->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
	pack->n_acts = 0;
	check(state);
	assert_int_equal(faults.count,
		1 + acts + 2); /* the scale; each act of ActOnCase; read_content, erase_content */
}

/* Two laws, one municipality: what it decides stands in both packs, and only where it is laid down differs.
 */
static void the_pack_of_the_law_before_differs_in_its_sources_alone(void **state)
{
	Avvik__V1__RulePack *old = support_old_rules(*state);
	struct av_faults none;

	av_faults_init(&none, *state);
	rulepack_check(old, *state, &none);
	support_assert_no_faults(&none);
	assert_int_equal(old->valid_until_on + 1, pack->valid_from_on);
	assert_int_equal(old->n_references, pack->n_references);
	for (size_t i = 0; i < old->n_references; i++) {
		assert_string_equal(old->references[i]->id, pack->references[i]->id);
		assert_int_equal(strcmp(old->references[i]->text, pack->references[i]->text) == 0,
			old->references[i]->law == AVVIK__V1__LAW__LAW_LSS); /* LSS is unchanged */
		old->references[i]->text = pack->references[i]->text;
	}
	assert_int_equal(old->n_deadlines, pack->n_deadlines);
	for (size_t i = 0; i < old->n_deadlines; i++)
		old->deadlines[i]->source = pack->deadlines[i]->source;
	assert_int_equal(old->n_notices, pack->n_notices);
	for (size_t i = 0; i < old->n_notices; i++)
		old->notices[i]->source = pack->notices[i]->source;
	old->version = pack->version;
	old->title = pack->title;
	old->valid_from_on = pack->valid_from_on;
	old->valid_until_on = pack->valid_until_on;
	struct av_bytes a = av_message_pack(&old->base, *state), b = av_message_pack(&pack->base, *state);
	assert_true(av_bytes_equal(a, b));
}

/* --- which pack holds when --- */

static void the_pack_published_last_that_covers_a_day_holds(void **state)
{
	static const struct rulepack_days days[] = {
		{"a", 100, 0}, {"b", 200, 299}, {"c", 300, 0}, {"d", 300, 0}};
	static const struct {
		av_day day;
		size_t want;
	} rows[] = {{99, 4}, {100, 0}, {199, 0}, {200, 1}, {299, 1}, {300, 3}, {9999, 3}};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(rulepack_on(days, 4, rows[i].day), rows[i].want);
	assert_int_equal(rulepack_on(days, 2, 300), 0);
	assert_int_equal(rulepack_on(NULL, 0, 300), 0);
}

static void a_pack_follows_on_the_one_before(void **state)
{
	av_day first = support_day("2025-07-01"), last = support_day("2026-06-30");
	const struct rulepack_days open = {"a", first, 0}, ended = {"a", first, last};
	const struct {
		const char *name;
		const struct rulepack_days *before;
		av_day from;
		const char *want;
	} rows[] = {
		{"the first of all", NULL, first, NULL},
		{"after an open end", &open, first + 100, NULL},
		{"in its place", &open, first, NULL},
		{"before it", &open, first - 1, "contradiction valid_from_on|valid_until_on 2025-06-30"},
		{"the day after the end", &ended, last + 1, NULL},
		{"before the end", &ended, last, "contradiction valid_from_on|begin on 2026-07-01"},
		{"in the place of one that ends", &ended, first, NULL},
		{"a day too late", &ended, last + 2, "contradiction valid_from_on|begin on 2026-07-01"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		av_faults_init(&faults, *state);
		pack->valid_from_on = rows[i].from;
		rulepack_check_days(pack, rows[i].before, rows[i].before ? 1 : 0, &faults);
		if (rows[i].want)
			assert_faults(&faults, rows[i].want);
		else
			support_assert_no_faults(&faults);
	}
}

/* Cases that were received before the first pack wait for one that holds for their day. */
static void a_pack_may_be_for_the_days_before_the_first(void **state)
{
	av_day first = support_day("2025-07-01"), next = support_day("2026-01-01");
	const struct rulepack_days before[] = {
		{"a", first, 0}, {"b", next, 0}, {"z", first - 500, first - 1}};
	const struct {
		const char *name;
		size_t count;
		av_day from, until;
		const char *want;
	} rows[] = {
		{"up to the first", 2, first - 500, first - 1, NULL},
		{"leaving a day out", 2, first - 500, first - 2,
			"contradiction valid_from_on|valid_until_on 2025-06-30"},
		{"over the first", 2, first - 500, first,
			"contradiction valid_from_on|valid_until_on 2025-06-30"},
		{"without end", 2, first - 500, 0, "contradiction valid_from_on|valid_until_on 2025-06-30"},
		{"between them", 2, first + 1, 0, "contradiction valid_from_on|before 2026-01-01"},
		{"between them, after the earlier one came", 3, first - 1, 0,
			"contradiction valid_from_on|before 2026-01-01"},
		{"before the earlier one", 3, first - 600, first - 501, NULL},
		{"after the last, all the same", 3, next + 30, 0, NULL},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		av_faults_init(&faults, *state);
		pack->valid_from_on = rows[i].from;
		pack->valid_until_on = rows[i].until;
		rulepack_check_days(pack, before, rows[i].count, &faults);
		if (rows[i].want)
			assert_faults(&faults, rows[i].want);
		else
			support_assert_no_faults(&faults);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		rules_test(the_shipped_rule_pack_stands),
		rules_test(more_than_ten_faults_are_listed_at_once_each_with_its_remedy),
		rules_test(anchors_that_do_not_agree_are_named),
		rules_test(a_deadline_has_a_length_that_its_unit_allows),
		rules_test(a_ladder_goes_from_warnings_to_escalations),
		rules_test(a_warning_comes_after_the_start),
		rules_test(a_rung_that_no_row_tells_of_is_named),
		rules_test(rows_and_recipients_name_what_exists),
		rules_test(an_act_has_one_row_for_each_kind_and_roles_that_exist),
		rules_test(hours_and_closures_are_in_order),
		rules_test(a_pack_without_scale_roles_or_acts_is_refused),
		rules_test(the_pack_published_last_that_covers_a_day_holds),
		rules_test(the_pack_of_the_law_before_differs_in_its_sources_alone),
		rules_test(a_pack_follows_on_the_one_before),
		rules_test(a_pack_may_be_for_the_days_before_the_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
