/* act_informing.c - the acts beside the investigation: who is told, the person's own file, the police, the
 * registry
 *
 * The law wants each of them done, or the reason why not; none of them holds up the case, so closing it
 * without one is warned of, and it can be recorded after the closing too.
 */
#include "act.h"

#include <string.h>

#include "base/macros.h"

#define EVENT(name) AVVIK__V1__EVENT__BODY_##name
#define ANCHOR(name) AVVIK__V1__ANCHOR__ANCHOR_##name
#define FAULT(name) AVVIK__V1__FAULT_CODE__FAULT_CODE_##name
#define ACT(name) AVVIK__V1__ACT_ON_CASE__ACT_##name
#define POLICE(name) AVVIK__V1__POLICE_REPORT__POLICE_REPORT_##name

static void check_inform(struct act *act)
{
	act_need(act, act->order->inform_affected->text, "text", "who was told what, or why nobody was");
}

static int write_inform(struct act *act)
{
	Avvik__V1__AffectedInformed *informed = ACT_NEW(act, AffectedInformed, affected_informed);
	int status =
		informed ? act_seal(act, act->order->inform_affected->text, &informed->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	informed->informed = act->order->inform_affected->informed;
	return act_tell(act, EVENT(AFFECTED_INFORMED), informed, ANCHOR(AFFECTED_INFORMED), NULL);
}

static void check_relatives(struct act *act)
{
	const Avvik__V1__InformRelatives *inform = act->order->inform_relatives;

	act_need(act, inform->text, "text", "who was told what, or why nobody was");
	if (inform->informed && inform->whom == AVVIK__V1__CAPACITY__CAPACITY_UNSPECIFIED)
		av_fault(&act->ctx->faults, FAULT(REQUIRED), "whom",
			"say in what capacity: relative, guardian or custodian");
}

static int write_relatives(struct act *act)
{
	const Avvik__V1__InformRelatives *inform = act->order->inform_relatives;
	Avvik__V1__RelativesInformed *informed = ACT_NEW(act, RelativesInformed, relatives_informed);
	int status = informed ? act_seal(act, inform->text, &informed->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	informed->informed = inform->informed;
	informed->whom = inform->whom;
	return act_tell(act, EVENT(RELATIVES_INFORMED), informed, 0, NULL);
}

static void check_file_entry(struct act *act)
{
	if (!act->order->confirm_file_entry->confirmed)
		act_need(act, act->order->confirm_file_entry->text, "text", "why it does not apply");
}

static int write_file_entry(struct act *act)
{
	const Avvik__V1__ConfirmFileEntry *confirm = act->order->confirm_file_entry;
	Avvik__V1__FileEntryConfirmed *confirmed = ACT_NEW(act, FileEntryConfirmed, file_entry_confirmed);
	int status = confirmed ? act_seal(act, confirm->text, &confirmed->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	confirmed->confirmed = confirm->confirmed;
	return act_tell(act, EVENT(FILE_ENTRY_CONFIRMED), confirmed, 0, NULL);
}

static void check_police(struct act *act)
{
	const Avvik__V1__DecidePoliceReport *decide = act->order->decide_police_report;

	if (decide->police_report == POLICE(UNSPECIFIED))
		av_fault(&act->ctx->faults, FAULT(REQUIRED), "police_report",
			"say whether a report to the police is not_needed, needed or made");
	act_need(act, decide->motive, "motive", "the motive");
	if (*decide->police_number && decide->police_report != POLICE(MADE))
		av_fault(&act->ctx->faults, FAULT(CONTRADICTION), "police_number",
			"the police give a number when the report is made: say that it is, or leave the "
			"number out");
}

static int write_police(struct act *act)
{
	const Avvik__V1__DecidePoliceReport *decide = act->order->decide_police_report;
	Avvik__V1__PoliceReportDecided *decided = ACT_NEW(act, PoliceReportDecided, police_report_decided);
	int status = decided ? act_seal(act, decide->motive, &decided->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	decided->police_report = decide->police_report;
	decided->police_number = decide->police_number;
	return act_tell(act, EVENT(POLICE_REPORT_DECIDED), decided,
		decide->police_report == POLICE(MADE) ? ANCHOR(POLICE_REPORTED) : 0, NULL);
}

/* A number that was given wrong is corrected; the one before stays in the event. */
static void check_registry(struct act *act)
{
	const Avvik__V1__SetRegistryNumber *set = act->order->set_registry_number;

	act_need(act, set->registry_number, "registry_number", "the registry number (diarienummer)");
	if (*set->registry_number && strcmp(set->registry_number, act->found->registry_number) == 0)
		av_fault(&act->ctx->faults, FAULT(DUPLICATE), "registry_number",
			"the case has this number already: give another one");
	else if (*act->found->registry_number)
		act_need(act, set->motive, "motive", "why it is another number than before");
}

static int write_registry(struct act *act)
{
	const Avvik__V1__SetRegistryNumber *set = act->order->set_registry_number;
	Avvik__V1__RegistryNumberSet *number = ACT_NEW(act, RegistryNumberSet, registry_number_set);
	int status = number ? act_seal(act, set->motive, &number->content) : AV_MEMORY;

	if (status != AV_OK)
		return status;
	number->registry_number = set->registry_number;
	number->before = act->found->registry_number;
	return act_tell(act, EVENT(REGISTRY_NUMBER_SET), number, 0, NULL);
}

/* --- at the closing --- */

int act_warn_unfinished(struct act *act)
{
	const Avvik__V1__Case *found = act->found;
	bool person = found->concerns != AVVIK__V1__CONCERNS__CONCERNS_GROUP &&
		      found->concerns != AVVIK__V1__CONCERNS__CONCERNS_OTHER;
	const struct {
		bool missing;
		const char *path, *text;
	} wanted[] = {
		{person && !found->affected && !found->affected_informed, "inform_affected",
			"it is not recorded that the person affected has been informed, or why not: record "
			"it"},
		{person && !found->relatives, "inform_relatives",
			"it is not recorded that relatives or guardians have been informed, or why not: "
			"record "
			"it"},
		{person && !found->file_entry, "confirm_file_entry",
			"it is not confirmed that what happened is documented in the person's own file: "
			"confirm "
			"it, or say why it does not apply"},
		{found->police_report == POLICE(NEEDED), "decide_police_report",
			"a report to the police is needed and not recorded as made: record that it is made, "
			"or "
			"that it is not needed after all"},
		{case_requests_open(found) > 0, "answer_ivo_request",
			"IVO waits for an answer: its day goes on although the case is closed"},
	};
	int status = AV_OK;

	for (size_t i = 0; found->kind == AVVIK__V1__CASE_KIND__CASE_KIND_LEX_SARAH && status == AV_OK &&
			   i < AV_COUNT(wanted);
		i++)
		if (wanted[i].missing)
			status = act_warn(act, wanted[i].path, wanted[i].text);
	return status;
}

static const struct act_row rows[] = {
	/* clang-format off */
	{ ACT(INFORM_AFFECTED),        "inform_affected",        check_inform,           write_inform },
	{ ACT(INFORM_RELATIVES),       "inform_relatives",       check_relatives,        write_relatives },
	{ ACT(CONFIRM_FILE_ENTRY),     "confirm_file_entry",     check_file_entry,       write_file_entry },
	{ ACT(DECIDE_POLICE_REPORT),   "decide_police_report",   check_police,           write_police },
	{ ACT(SET_REGISTRY_NUMBER),    "set_registry_number",    check_registry,         write_registry },
}; /* clang-format on */
const struct act_rows act_rows_informing = {rows, AV_COUNT(rows)};
