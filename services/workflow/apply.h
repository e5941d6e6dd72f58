/* apply.h - one event while it changes the records: workflow_apply.c has the table, case_changes.c the cases
 */
#ifndef AVVIK_WORKFLOW_APPLY_H
#define AVVIK_WORKFLOW_APPLY_H

#include "workflow_store.h"

struct change {
	struct av_txn *txn; /* NULL: the case lies in memory alone */
	const Avvik__V1__Event *event;
	struct av_arena *arena;
	struct av_id id;	/* of the case */
	Avvik__V1__Case *found; /* of the case; its changes are stored when the function is done */
};

/* For the functions below. `array` is the address of the array; old arrays stay in the arena. */
int change_append(struct change *change, void *array, size_t *count, void *item);
int change_keep_content(struct change *change, Avvik__V1__ContentRef *ref); /* NULL: nothing */
void change_end_task(struct change *change, const char *task);

typedef int change_fn(struct change *change, const void *body);

/* What the events of a case do to its record. */
change_fn change_case_opened, change_case_placed, change_reporter_named, change_case_remedied,
	change_affected_informed, change_case_assessed_initially, change_serious_found, change_entry_recorded,
	change_investigation_completed, change_case_decided, change_ivo_notified,
	change_investigation_handed_in, change_measure_decided, change_no_measures_decided,
	change_measure_executed, change_measure_evaluated, change_case_closed, change_deviation_assessed,
	change_case_turned_lex_sarah, change_case_supplemented, change_case_rules_set, change_ivo_duty_lifted,
	change_ivo_requested, change_ivo_answered, change_ivo_decided, change_case_reconsidered,
	change_case_returned_to_deviation, change_case_reopened, change_relatives_informed,
	change_file_entry_confirmed, change_police_report_decided, change_registry_number_set,
	change_information_registered, change_provider_notified, change_measure_proposed,
	change_proposal_decided, change_effect_judged, change_recurrence_found, change_recurrence_noted,
	change_case_taken_for_review, change_completion_requested, change_completion_answered,
	change_inquiry_begun, change_risk_assessed, change_high_risk_found, change_inquiry_completed,
	change_case_joined, change_other_joined, change_case_parted, change_other_parted,
	change_joined_case_closed, change_duplicate_dismissed, change_content_corrected,
	change_correction_completed, change_case_taken_over;

/* Whether a case of the same unit and category is to find this one, now that its measures or its category
 * changed. */
void change_index_effective(struct change *change, const char *category_before);
int change_add_task(struct change *change, const char *task);
/* Is it a fact of another system's time, told when the case was taken over? */
bool change_is_taken_over(const struct change *change);

#endif
