/* The services of the plugin: a file each, one table each. */
#ifndef INVESTMENT_SERVICE_H
#define INVESTMENT_SERVICE_H

#include "records.h"

extern Lyceum__Investment__V1__Registry_Service registry_service;
extern Lyceum__Investment__V1__Market_Service market_service;
extern Lyceum__Investment__V1__Matching_Service matching_service;
extern Lyceum__Investment__V1__Conflicts_Service conflicts_service;
extern Lyceum__Investment__V1__Interests_Service interests_service;
extern Lyceum__Investment__V1__Enquiries_Service enquiries_service;
extern Lyceum__Investment__V1__Rounds_Service rounds_service;

#endif
