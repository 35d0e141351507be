/* The services, each in the file named after it. */
#ifndef CONVENING_METHODS_H
#define CONVENING_METHODS_H

#include "messages.h"

extern Lyceum__Convening__V1__Events_Service convening_events;
extern Lyceum__Convening__V1__Invitations_Service convening_invitations;
extern Lyceum__Convening__V1__Notes_Service convening_notes;
extern Lyceum__Convening__V1__Calendar_Service convening_calendar;
extern Lyceum__Convening__V1__Mails_Service convening_mails;
extern Lyceum__Convening__V1__Enquiries_Service convening_enquiries;

#endif
