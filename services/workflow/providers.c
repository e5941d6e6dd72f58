/* providers.c - when a case is a private provider's: the provider investigates and notifies IVO itself, and the
 * committee has information of it, with its own table of states and its own deadlines (24 d and 24 f §§ LSS) */
#include "workflow.h"

#include "base/macros.h"

#define ANCHOR(name) AVVIK__V1__ANCHOR__ANCHOR_##name

bool workflow_is_information(
	const struct workflow_view *view, const struct workflow_pack *pack, const char *unit)
{
	const Avvik__V1__Unit *known = view->org ? av_org_unit(view->org, unit) : NULL;
	int operation;

	for (size_t i = 0; known && pack && i < pack->rules->n_information_operations; i++)
		if (av_enum_value(&avvik__v1__operation__descriptor, pack->rules->information_operations[i],
			    &operation) == AV_OK &&
			(int)known->operation == operation)
			return true;
	return false;
}

bool workflow_becomes_information(const struct workflow_view *view, const struct workflow_pack *pack,
	const Avvik__V1__Case *found, const char *unit)
{
	return found->kind == AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH &&
	       (found->state == AVVIK__V1__CASE_STATE__CASE_STATE_INCOMPLETE ||
		       found->state == AVVIK__V1__CASE_STATE__CASE_STATE_RECEIVED) &&
	       found->ivo == AVVIK__V1__IVO_STATE__IVO_STATE_NOT_REQUIRED &&
	       workflow_is_information(view, pack, unit);
}

void workflow_make_information(
	const struct workflow_pack *pack, const Avvik__V1__Case *found, Avvik__V1__CasePlaced *placed)
{
	placed->kind = AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION;
	placed->state = AVVIK__V1__CASE_STATE__CASE_STATE_RECEIVED;
	placed->legal_reference = (char *)workflow_reference(pack, "provider", found->laws, found->n_laws);
}

int ledgers_become_information(struct ledgers *ledgers, int64_t received_at_ms, const struct av_id *because)
{
	ledgers->kind = AVVIK__V1__CASE_KIND__CASE_KIND_INFORMATION;
	int status = ledgers_cancel(ledgers, true, ANCHOR(PLACED_AT_PROVIDER), because);
	return status == AV_OK ? ledgers_fact(ledgers, ANCHOR(RECEIVED), received_at_ms, NULL, because)
			       : status;
}
