/* table.h - the state tables of docs/case-tables.md, as a reader understands them: what the simulation holds each case
 * against, beside the tables that the program was built from; and how much of them was played
 *
 * What was played is counted in memory that the processes of a campaign share.
 */
#ifndef AVVIK_SIM_TABLE_H
#define AVVIK_SIM_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "avvik/v1/case.pb-c.h"

#define TABLE_STATES 32 /* of CaseState */

void table_open(void); /* before anything else; ends the process when the page cannot be read */
/* The state that a row leads to from another; UNSPECIFIED: none. `what` is the row's text: an act may have a row for
 * each outcome. */
Avvik__V1__CaseState table_next(
	Avvik__V1__CaseKind kind, const char *act, const char *what, Avvik__V1__CaseState from);
void table_played(Avvik__V1__CaseKind kind, const char *act, const char *what, Avvik__V1__CaseState from);
/* Prints each row with how many of its cells were played, and how often. False: one of the acts never was. */
bool table_tell(const char *const *acts, size_t count);

#endif
