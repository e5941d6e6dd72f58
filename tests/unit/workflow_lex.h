/* workflow_lex.h - a lex Sarah case in any state and its measures, for the tests of the guards. */
#ifndef AVVIK_TESTS_WORKFLOW_LEX_H
#define AVVIK_TESTS_WORKFLOW_LEX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "case_rules.h"

#define STATE(name) AVVIK__V1__CASE_STATE__CASE_STATE_##name
#define IVO(name) AVVIK__V1__IVO_STATE__IVO_STATE_##name
#define DEGREE(name) AVVIK__V1__DEGREE__DEGREE_##name
#define MEASURE(name) AVVIK__V1__MEASURE_STATE__MEASURE_STATE_##name

/* A complete case in this state, investigated by eva, without measures; the measures of the one before are gone. */
Avvik__V1__Case lex(Avvik__V1__CaseState state);
Avvik__V1__Measure *with_measure(Avvik__V1__Case *found, Avvik__V1__MeasureState state); /* at most four */

/* The guard that the act meets, or CASE_ALLOWED; the next state is set on success alone. */
void want(const Avvik__V1__Case *found, struct case_intent intent, enum case_guard guard);
/* The act that an order means in the case as it is; number: of its body among those of ActOnCase. */
enum case_act resolved(const Avvik__V1__Case *found, unsigned int number, void *body);

#endif
