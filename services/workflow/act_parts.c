/* act_parts.c - what the writers of acts share: events, facts, sealed texts, and what a field must be */
#include "act.h"

#include <string.h>

#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name

struct av_id act_emit(struct act *act, unsigned int number, void *body)
{
	struct av_emit_options options = {.case_id = &act->case_id, .occurred_at_ms = act->acted_at_ms};
	act->events++;
	return av_emit(act->ctx, number, body, &options);
}

/* The event, and one fact that it is. */
int act_tell(struct act *act, unsigned int number, void *body, Avvik__V1__Anchor fact,
	const ProtobufCBinaryData *measure_id)
{
	struct av_id id = act_emit(act, number, body);
	return fact ? ledgers_fact(&act->ledgers, fact, act->acted_at_ms, measure_id, &id) : AV_OK;
}

int act_seal(struct act *act, char *text, Avvik__V1__ContentRef **ret_ref)
{
	Avvik__V1__CaseText sealed = AVVIK__V1__CASE_TEXT__INIT;
	int status;

	*ret_ref = NULL;
	sealed.text = text;
	status = av_seal_text(act->ctx, &sealed, ret_ref);
	return status == AV_NOTHING ? AV_OK : status;
}

void act_need(struct act *act, const char *value, const char *field, const char *what)
{
	if (!*value)
		av_fault(&act->ctx->faults, FAULT(REQUIRED), field, "give %s", what);
}

void act_need_code(struct act *act, Avvik__V1__Code *const *codes, size_t count, const char *code,
	const char *field, const char *list)
{
	if (*code && !workflow_code(codes, count, code))
		av_fault(&act->ctx->faults, FAULT(UNKNOWN_VALUE), field,
			"the code is not in the rule pack %s: give one of its %s", act->pack->rules->version,
			list);
}

void act_need_categories(struct act *act, const char *category, const char *subcategory)
{
	const Avvik__V1__RulePack *rules = act->pack->rules;
	const Avvik__V1__Code *sub = workflow_code(rules->categories, rules->n_categories, subcategory);

	act_need_code(act, rules->categories, rules->n_categories, category, "category", "categories");
	act_need_code(act, rules->categories, rules->n_categories, subcategory, "subcategory", "categories");
	if (*subcategory && sub && strcmp(sub->parent, category) != 0)
		av_fault(&act->ctx->faults, FAULT(CONTRADICTION), "subcategory",
			"the subcategory belongs to another category: give one whose parent is the category");
}

void act_need_person(struct act *act, const char *person, const char *field)
{
	if (*person && !av_org_person(act->view.org, person))
		av_fault(&act->ctx->faults, FAULT(UNKNOWN_REFERENCE), field,
			"the person is not in the directory that is in force: give the id of one who is");
}
