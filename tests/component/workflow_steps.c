/* workflow_steps.c - the steps of workflow_world.h, with all that they need */
#include "workflow_world.h"

void world_investigate(struct world *world, const struct av_id *id)
{
	Avvik__V1__AssessInitially assess = AVVIK__V1__ASSESS_INITIALLY__INIT;
	assess.preliminary_degree = DEGREE(MISCONDUCT);
	assess.investigate = true;
	assess.motive = TEXT("behöver utredas");
	assess.investigator = TEXT("eva");
	world_does(world, "sara", id, ACT(ASSESS_INITIALLY), &assess.base, NULL);
}

void world_document(struct world *world, const struct av_id *id)
{
	Avvik__V1__CompleteInvestigation complete = AVVIK__V1__COMPLETE_INVESTIGATION__INIT;

	for (uint32_t item = 1; item <= 10; item++) {
		Avvik__V1__RecordEntry entry = AVVIK__V1__RECORD_ENTRY__INIT;
		if (item == 9)
			continue;
		entry.item = item;
		entry.nature = AVVIK__V1__ENTRY_NATURE__ENTRY_NATURE_FACT;
		entry.source = TEXT("samtal");
		entry.text = TEXT("det som hände");
		world_does(world, "eva", id, ACT(RECORD_ENTRY), &entry.base, NULL);
	}
	complete.proposed_degree = DEGREE(MISCONDUCT);
	complete.motive = TEXT("skäl");
	world_does(world, "eva", id, ACT(COMPLETE_INVESTIGATION), &complete.base, NULL);
}

void world_decide(struct world *world, const struct av_id *id, Avvik__V1__Degree degree)
{
	Avvik__V1__Decide decide = AVVIK__V1__DECIDE__INIT;
	decide.degree = degree;
	decide.motive = TEXT("skäl");
	world_does(world, "sara", id, ACT(DECIDE), &decide.base, NULL);
}

struct av_id world_decided(struct world *world, Avvik__V1__Degree degree)
{
	struct av_id id = world_file(world, world_report(world));
	world_investigate(world, &id);
	world_document(world, &id);
	world_decide(world, &id, degree);
	return id;
}

struct av_id world_measure(struct world *world, const struct av_id *id, const char *end)
{
	Avvik__V1__DecideMeasure decide = AVVIK__V1__DECIDE_MEASURE__INIT;
	av_day day;

	assert_int_equal(av_day_parse(end, &day), AV_OK);
	decide.description = TEXT("ny rutin");
	decide.goal = TEXT("händer inte igen");
	decide.responsible = TEXT("anna");
	decide.planned_end_on = day;
	return id_of(world_does(world, "anna", id, ACT(DECIDE_MEASURE), &decide.base, NULL)->measure_id);
}

void world_execute(struct world *world, const struct av_id *id, struct av_id measure)
{
	Avvik__V1__ExecuteMeasure execute = AVVIK__V1__EXECUTE_MEASURE__INIT;
	execute.measure_id = BINARY(measure);
	world_does(world, "anna", id, ACT(EXECUTE_MEASURE), &execute.base, NULL);
}

void world_evaluate(
	struct world *world, const struct av_id *id, struct av_id measure, bool effective, bool accept_risk)
{
	Avvik__V1__EvaluateMeasure evaluate = AVVIK__V1__EVALUATE_MEASURE__INIT;
	evaluate.measure_id = BINARY(measure);
	evaluate.effective = effective;
	evaluate.accept_risk = accept_risk;
	evaluate.text = TEXT("uppföljt");
	if (world_case(world, id)->kind == AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH)
		world_does(world, "eva", id, ACT(EVALUATE_MEASURE), &evaluate.base, NULL);
	world_does(world, "anna", id, ACT(EVALUATE_MEASURE), &evaluate.base, NULL);
}

void world_take_position(struct world *world, const struct av_id *id)
{
	Avvik__V1__AssessInitially assess = AVVIK__V1__ASSESS_INITIALLY__INIT;
	assess.preliminary_degree = DEGREE(NONE);
	assess.motive = TEXT("klart inget missförhållande");
	world_does(world, "sara", id, ACT(ASSESS_INITIALLY), &assess.base, NULL);
}

Avvik__V1__ActAccepted *world_turn(struct world *world, const char *person, const struct av_id *id)
{
	Avvik__V1__TurnIntoLexSarah turn = AVVIK__V1__TURN_INTO_LEX_SARAH__INIT;
	turn.motive = TEXT("misstänkt");
	return world_does(world, person, id, ACT(TURN_INTO_LEX_SARAH), &turn.base, NULL);
}

Avvik__V1__ActAccepted *world_find_serious(struct world *world, const struct av_id *id)
{
	Avvik__V1__FindSerious serious = AVVIK__V1__FIND_SERIOUS__INIT;
	serious.motive = TEXT("uppenbart");
	return world_does(world, "sara", id, ACT(FIND_SERIOUS), &serious.base, NULL);
}

void world_notify(struct world *world, const struct av_id *id, bool attached)
{
	Avvik__V1__NotifyIvo notify = AVVIK__V1__NOTIFY_IVO__INIT;
	notify.registry_number = TEXT("SN 2026/17");
	notify.investigation_attached = attached;
	world_does(world, "sara", id, ACT(NOTIFY_IVO), &notify.base, NULL);
}
