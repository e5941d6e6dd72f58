/* sight.c - what of a case the one who asks may see
 *
 * A query that names the acting person (on_behalf_of) is answered as that person may see: nothing of units
 * where the person holds no role, and of a case that is with the lex Sarah officer no more than number, kind,
 * state and times when all roles that the person holds for it are of the unit itself. A query without a
 * person is answered as the system may see, and the system shows each person no more than this; one that may
 * act in roles of the unit alone sees as they do.
 */
#include "workflow.h"

#include <string.h>

/* Of a case whose unit is not known a role is held at the top: there it is a task. */
static bool holds(
	const struct av_org *org, const char *person, const char *role, const char *unit, av_day today)
{
	const Avvik__V1__Directory *directory = av_org_directory(org);

	if (av_org_unit(org, unit))
		return av_org_holds(org, person, role, unit, today);
	for (size_t i = 0; i < directory->n_units; i++)
		if (directory->units[i]->level <= AVVIK__V1__UNIT_LEVEL__UNIT_LEVEL_ADMINISTRATION &&
			av_org_holds(org, person, role, directory->units[i]->code, today))
			return true;
	return false;
}

/* Asked once for each unit while the others of a page repeat. */
static const struct sight_of_unit *look_up(const struct av_ctx *ctx, const struct workflow_view *view,
	const struct workflow_pack *pack, const char *unit, struct workflow_sights *sights)
{
	const char *person = ctx->command->on_behalf_of;
	av_day today = av_local_day(ctx->now_ms);
	struct sight_of_unit *found;

	for (size_t i = 0; i < sights->count; i++)
		if (strcmp(sights->units[i].unit, unit) == 0 && sights->units[i].pack == pack)
			return &sights->units[i];
	found = &sights->units[sights->count < WORKFLOW_SIGHTS ? sights->count++
							       : sights->next++ % WORKFLOW_SIGHTS];
	*found = (struct sight_of_unit){.unit = unit, .pack = pack};
	for (size_t i = 0; !found->reads && i < pack->rules->n_roles; i++) {
		const char *role = pack->rules->roles[i]->code;
		if (!holds(view->org, person, role, unit, today))
			continue;
		found->holds = true;
		found->reads = !case_role_limited(role);
	}
	return found;
}

/* Of a system that may act in some roles alone, and all of them of the unit itself. */
static bool system_limited(const struct av_principal *principal)
{
	if (!principal || !principal->roles || !*principal->roles)
		return false;
	for (const char *const *role = principal->roles; *role; role++)
		if (!case_role_limited(*role))
			return false;
	return true;
}

enum workflow_sight workflow_sight(const struct av_ctx *ctx, const struct workflow_view *view,
	const Avvik__V1__Case *found, struct workflow_sights *sights)
{
	const char *person = ctx->command ? ctx->command->on_behalf_of : "";
	const struct workflow_pack *pack = workflow_pack(view, found->rules_version);
	const struct sight_of_unit *of_unit;

	if (!workflow_sees_case(ctx, view, found))
		return SIGHT_NONE;
	if (!*person)
		return case_with_officer(found) && system_limited(ctx->principal) ? SIGHT_EXISTENCE
										  : SIGHT_ALL;
	if (!pack && view->pack_count)
		pack = &view->packs[view->pack_count - 1];
	if (!pack || !view->org || !av_org_person(view->org, person))
		return SIGHT_NONE;
	if (*found->investigator && strcmp(found->investigator, person) == 0)
		return SIGHT_ALL;
	of_unit = look_up(ctx, view, pack, found->unit, sights);
	if (!of_unit->holds)
		return SIGHT_NONE;
	return of_unit->reads || !case_with_officer(found) ? SIGHT_ALL : SIGHT_EXISTENCE;
}

Avvik__V1__Case *workflow_shown(Avvik__V1__Case *found, enum workflow_sight sight, struct av_arena *arena)
{
	Avvik__V1__Case *shown;

	found->reported_by = (char *)""; /* who reported is nobody's to see here */
	if (sight == SIGHT_ALL)
		return found;
	shown = AV_NEW(arena, Avvik__V1__Case, avvik__v1__case);
	if (!shown)
		return NULL;
	shown->case_id = found->case_id;
	shown->version = found->version;
	shown->kind = found->kind;
	shown->state = found->state;
	shown->number = found->number;
	shown->unit = found->unit;
	shown->received_at_ms = found->received_at_ms;
	shown->opened_at_ms = found->opened_at_ms;
	shown->changed_at_ms = found->changed_at_ms;
	shown->closed_at_ms = found->closed_at_ms;
	shown->n_acts_possible = found->n_acts_possible;
	shown->acts_possible = found->acts_possible;
	shown->limited = true;
	return shown;
}

bool workflow_shows_deadline(const Avvik__V1__Deadline *ledger, enum workflow_sight sight)
{
	for (size_t i = 0; sight == SIGHT_EXISTENCE && i < ledger->n_rungs; i++)
		for (size_t k = 0; k < ledger->rungs[i]->n_to; k++)
			if (case_role_limited(ledger->rungs[i]->to[k]->role))
				return true;
	return sight == SIGHT_ALL;
}
