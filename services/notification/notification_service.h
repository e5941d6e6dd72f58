/* notification_service.h - notification, as the skeleton sees it. */
#ifndef NOTIFICATION_SERVICE_H
#define NOTIFICATION_SERVICE_H

#include "daemon/service.h"

extern const struct av_service notification_service;

#endif
