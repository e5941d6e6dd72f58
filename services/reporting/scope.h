/* scope.h - whose figures a principal may see: those of its units and of all units below them. */
#ifndef REPORTING_SCOPE_H
#define REPORTING_SCOPE_H

#include <stdbool.h>
#include "bus/principals.h"
#include "store/store.h"

bool scope_unit(struct av_txn *txn, const struct av_principal *principal, const char *unit);
/* All of them: what a subscription to every topic takes. */
bool scope_all(const struct av_principal *principal);

#endif
