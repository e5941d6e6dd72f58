/* acts.c - what people do with cases: mostly what the case allows, by who may, now and then not
 */
#include "people_inner.h"

#include <string.h>

#define ACT(name) AVVIK__V1__ACT_ON_CASE__ACT_##name

const char *people_with(struct world *w, const char *role, const char *unit)
{
	struct av_org_found found[AV_ORG_FOUND_MAX];
	size_t count = av_org_find(w->org, role, unit, 0, av_local_day(w->now_ms), found);
	return count ? found[chance(w, count)].person : "";
}

static bool concerns(const Avvik__V1__ActRule *rule, const char *act, Avvik__V1__CaseKind kind)
{
	for (size_t i = 0; i < rule->n_kinds; i++)
		if (rule->kinds[i] == kind)
			return strcmp(rule->act, act) == 0;
	return false;
}

/* Who may: somebody with one of the roles, or now and then just anybody. */
const char *people_actor(struct world *w, const char *act, const Avvik__V1__Case *found)
{
	const char *person = "";
	if (percent(w, 300))
		return w->directory->people[chance(w, w->directory->n_people)]->id;
	const Avvik__V1__ActRule *chosen = NULL;
	unsigned int seen = 0;
	for (size_t i = 0; i < w->rules->n_acts; i++)
		if (concerns(w->rules->acts[i], act, found->kind) && chance(w, ++seen) == 0)
			chosen = w->rules->acts[i];
	for (int i = 0; chosen && !*person && i < 4; i++) /* not every role has somebody everywhere */
		person = people_with(w, chosen->roles[chance(w, chosen->n_roles)], found->unit);
	return person;
}

ProtobufCBinaryData people_copy(struct world *w, ProtobufCBinaryData data)
{
	return (ProtobufCBinaryData){data.len, av_arena_copy(w->arena, data.data, data.len)};
}

static const struct {
	const char *name;
	unsigned int number, weight;
	ProtobufCMessage *(*write)(struct world *w, const Avvik__V1__Case *found);
} acts[] = {
	/* clang-format off */
	{"place",                        ACT(PLACE),                        2,  act_place},
	{"name_reporter",                ACT(NAME_REPORTER),                4,  act_name_reporter},
	{"remedy",                       ACT(REMEDY),                       2,  act_remedy},
	{"inform_affected",              ACT(INFORM_AFFECTED),              1,  act_inform},
	{"assess_initially",             ACT(ASSESS_INITIALLY),             10, act_assess},
	{"find_serious",                 ACT(FIND_SERIOUS),                 1,  act_find_serious},
	{"record_entry",                 ACT(RECORD_ENTRY),                 30, act_record_entry},
	{"complete_investigation",       ACT(COMPLETE_INVESTIGATION),       5,  act_complete},
	{"decide",                       ACT(DECIDE),                       10, act_decide},
	{"notify_ivo",                   ACT(NOTIFY_IVO),                   5,  act_notify_ivo},
	{"hand_in_investigation",        ACT(HAND_IN_INVESTIGATION),        5,  act_hand_in},
	{"propose_measure",              ACT(PROPOSE_MEASURE),              1,  act_propose_measure},
	{"decide_proposal",              ACT(DECIDE_PROPOSAL),              4,  act_decide_proposal},
	{"decide_measure",               ACT(DECIDE_MEASURE),               4,  act_decide_measure},
	{"decide_no_measures",           ACT(DECIDE_NO_MEASURES),           3,  act_no_measures},
	{"execute_measure",              ACT(EXECUTE_MEASURE),              8,  act_execute},
	{"evaluate_measure",             ACT(EVALUATE_MEASURE),             8,  act_evaluate},
	{"close",                        ACT(CLOSE),                        8,  act_close},
	{"take_for_review",              ACT(TAKE_FOR_REVIEW),              8,  act_take},
	{"request_completion",           ACT(REQUEST_COMPLETION),           3,  act_request_completion},
	{"answer_completion",            ACT(ANSWER_COMPLETION),            5,  act_answer_completion},
	{"begin_inquiry",                ACT(BEGIN_INQUIRY),                8,  act_begin_inquiry},
	{"assess_risk",                  ACT(ASSESS_RISK),                  8,  act_assess_risk},
	{"complete_inquiry",             ACT(COMPLETE_INQUIRY),             8,  act_complete_inquiry},
	{"close_early",                  ACT(CLOSE_EARLY),                  1,  act_close_early},
	{"turn_into_lex_sarah",          ACT(TURN_INTO_LEX_SARAH),          1,  act_turn},
	{"inform_relatives",             ACT(INFORM_RELATIVES),             1,  act_inform_relatives},
	{"confirm_file_entry",           ACT(CONFIRM_FILE_ENTRY),           1,  act_file_entry},
	{"decide_police_report",         ACT(DECIDE_POLICE_REPORT),         1,  act_police},
	{"set_registry_number",          ACT(SET_REGISTRY_NUMBER),          1,  act_registry},
	{"lift_ivo_duty",                ACT(LIFT_IVO_DUTY),                1,  act_lift},
	{"record_ivo_request",           ACT(RECORD_IVO_REQUEST),           4,  act_ivo_request},
	{"answer_ivo_request",           ACT(ANSWER_IVO_REQUEST),           4,  act_ivo_answer},
	{"record_ivo_decision",          ACT(RECORD_IVO_DECISION),          2,  act_ivo_decision},
	{"reconsider",                   ACT(RECONSIDER),                   8,  act_reconsider},
	{"return_to_deviation",          ACT(RETURN_TO_DEVIATION),          3,  act_return},
	{"reopen",                       ACT(REOPEN),                       3,  act_reopen},
	{"register_information",         ACT(REGISTER_INFORMATION),         8,  act_register},
	{"record_provider_notification", ACT(RECORD_PROVIDER_NOTIFICATION), 4,  act_provider_notified},
	{"stop_deadline",                ACT(STOP_DEADLINE),                3,  act_stop},
	{"resume_deadline",              ACT(RESUME_DEADLINE),              3,  act_resume},
	{"extend_deadline",              ACT(EXTEND_DEADLINE),              1,  act_extend},
	{"join",                         ACT(JOIN),                         2,  act_join},
	{"part",                         ACT(PART),                         3,  act_part},
	{"dismiss_duplicate",            ACT(DISMISS_DUPLICATE),            2,  act_dismiss},
}; /* clang-format on */

size_t people_act_names(const char *const **ret_names)
{
	static const char *names[AV_COUNT(acts)];
	for (size_t i = 0; i < AV_COUNT(acts); i++)
		names[i] = acts[i].name;
	*ret_names = names;
	return AV_COUNT(acts);
}

static size_t some_act(struct world *w, const Avvik__V1__Case *found)
{
	unsigned int sum = 0;
	size_t chosen = chance(w, AV_COUNT(acts));
	if (percent(w, 300)) /* whatever the state says */
		return chosen;
	for (size_t i = 0; i < found->n_acts_possible; i++)
		for (size_t k = 0; k < AV_COUNT(acts); k++) {
			if (strcmp(found->acts_possible[i]->name, acts[k].name) != 0)
				continue;
			sum += acts[k].weight;
			if (chance(w, sum) < acts[k].weight)
				chosen = k;
		}
	return chosen;
}

/* No other act has it: that is how its effect is told from those of others. */
static int64_t own_instant(struct world *w, const Avvik__V1__Case *found)
{
	int64_t at_ms = chance(w, 8) ? people_ago(w, 2000) : people_ago(w, 15 * (int64_t)86400000);
	if (at_ms < found->received_at_ms && chance(w, 10))
		at_ms = w->now_ms;
	for (size_t i = 0; i < w->order_count; i++)
		if (w->orders[i]->acted_at_ms == at_ms) {
			at_ms--;
			i = (size_t)-1;
		}
	return at_ms;
}

/* Mostly one of a few, so that cases come to their end; the others wait for their deadlines. */
const Avvik__V1__Case *people_case(struct world *w)
{
	struct order **at = &w->focus[chance(w, AV_COUNT(w->focus))], *about;
	Avvik__V1__GetCase get = AVVIK__V1__GET_CASE__INIT;
	if (!*at)
		*at = people_report(w);
	about = percent(w, 1000) ? people_report(w) : *at;
	if (!about)
		return NULL;
	get.case_id = (ProtobufCBinaryData){AV_ID_SIZE, about->case_id.bytes};
	const Avvik__V1__Reply *reply = node_ask(&w->nodes[WORKFLOW], CASES, COMMAND(GET_CASE), &get.base);
	const Avvik__V1__Case *found = reply && reply->case_found ? reply->case_found->case_ : NULL;
	if (found && found->state == AVVIK__V1__CASE_STATE__CASE_STATE_CLOSED && chance(w, 3) == 0)
		*at = NULL;
	return found;
}

/* Two at once on one case: the second is mostly refused as stale. */
static bool busy_with(struct world *w, const Avvik__V1__Case *found)
{
	for (size_t i = 0; i < w->order_count; i++) {
		struct av_id id = sim_id(found->case_id);
		if (w->orders[i]->kind == ORDER_ACT && memcmp(&w->orders[i]->case_id, &id, sizeof id) == 0 &&
			(w->orders[i]->state == ORDER_WAITING || w->orders[i]->state == ORDER_SENT))
			return true;
	}
	return false;
}

void people_act(struct world *w)
{
	const Avvik__V1__Case *found = people_case(w);
	if (!found || (busy_with(w, found) && chance(w, 10)))
		return;
	size_t which = 0;
	ProtobufCMessage *body = NULL;
	for (int i = 0; !body && i < 4; i++) { /* what there is occasion for */
		which = some_act(w, found);
		body = acts[which].write(w, found);
	}
	const char *person = people_actor(w, acts[which].name, found);
	if (!body || !*person)
		return;
	Avvik__V1__ActOnCase *order = NEW(w, ActOnCase, act_on_case);
	order->case_id = people_copy(w, found->case_id);
	order->version_seen = found->version - (percent(w, 200) && found->version ? 1 : 0);
	order->acted_at_ms = own_instant(w, found);
	order->act_case = (Avvik__V1__ActOnCase__ActCase)acts[which].number;
	order->place = (Avvik__V1__PlaceCase *)body; /* any of the union */
	struct order *made =
		order_new(w, ORDER_ACT, CASES, WORKFLOW, person, COMMAND(ACT_ON_CASE), &order->base);
	made->case_id = sim_id(order->case_id);
	made->acted_at_ms = order->acted_at_ms;
	if (w->verbose)
		sim_say(w, "order %u: %s by %s, at %lld", made->id, acts[which].name, person,
			(long long)made->acted_at_ms);
}
