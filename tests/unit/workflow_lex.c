/* workflow_lex.c - see workflow_lex.h */
#include "workflow_lex.h"

#include "base/macros.h"

static Avvik__V1__Measure measures[4];
static Avvik__V1__Measure *measure_list[4] = {&measures[0], &measures[1], &measures[2], &measures[3]};
static unsigned char measure_ids[4][16];

Avvik__V1__Case lex(Avvik__V1__CaseState state)
{
	Avvik__V1__Case found = AVVIK__V1__CASE__INIT;

	found.kind = AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH;
	found.state = state;
	found.ivo = IVO(NOT_REQUIRED);
	found.reporter_named = true;
	found.category = (char *)"BEM";
	found.investigator = (char *)"eva";
	found.measures = measure_list;
	for (size_t i = 0; i < AV_COUNT(measures); i++) {
		avvik__v1__measure__init(&measures[i]);
		measure_ids[i][0] = (unsigned char)(i + 1);
		measures[i].measure_id = (ProtobufCBinaryData){16, measure_ids[i]};
	}
	return found;
}

Avvik__V1__Measure *with_measure(Avvik__V1__Case *found, Avvik__V1__MeasureState state)
{
	Avvik__V1__Measure *measure = &measures[found->n_measures++];
	measure->state = state;
	return measure;
}

void want(const Avvik__V1__Case *found, struct case_intent intent, enum case_guard guard)
{
	Avvik__V1__CaseState next = STATE(UNSPECIFIED);
	enum case_guard got = case_check(found, &intent, &next);

	if (got != guard)
		fail_msg("%s in %s: got %s, want %s", case_act_column(intent.act),
			case_state_name(found->state), case_guard_name(got), case_guard_name(guard));
	if (guard == CASE_ALLOWED)
		assert_int_not_equal(next, STATE(UNSPECIFIED));
	else
		assert_int_equal(next, STATE(UNSPECIFIED)); /* set on success alone */
}

enum case_act resolved(const Avvik__V1__Case *found, unsigned int number, void *body)
{
	Avvik__V1__ActOnCase order = AVVIK__V1__ACT_ON_CASE__INIT;
	order.act_case = (Avvik__V1__ActOnCase__ActCase)number;
	order.execute_measure = body;
	return case_resolve(found, &order);
}
