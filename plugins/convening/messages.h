/* Short names for what protoc-c made of the convening plugin's schema. */
#ifndef CONVENING_MESSAGES_H
#define CONVENING_MESSAGES_H

#include <lyceum/convening/v1/config.pb-c.h>
#include <lyceum/convening/v1/events.pb-c.h>
#include <lyceum/convening/v1/invitations.pb-c.h>
#include <lyceum/convening/v1/mails.pb-c.h>
#include <lyceum/convening/v1/notes.pb-c.h>
#include <lyceum/convening/v1/records.pb-c.h>

typedef Lyceum__V1__Label label_msg;
typedef Lyceum__Convening__V1__Event event_msg;
typedef Lyceum__Convening__V1__Quota quota_msg;
typedef Lyceum__Convening__V1__Invitation invitation_msg;
typedef Lyceum__Convening__V1__Answer answer_msg;
typedef Lyceum__Convening__V1__Place place_msg;
typedef Lyceum__Convening__V1__SeatPage seat_page_msg;
typedef Lyceum__Convening__V1__Verdict verdict_msg;
typedef Lyceum__Convening__V1__Dispatch dispatch_msg;
typedef Lyceum__Convening__V1__Holdup holdup_msg;
typedef Lyceum__Convening__V1__MailNote mail_note_msg;
typedef Lyceum__Convening__V1__ReminderSent reminder_msg;
typedef Lyceum__Convening__V1__Note note_msg;
typedef Lyceum__Convening__V1__Blackout blackout_msg;
typedef Lyceum__Convening__V1__FeedToken feed_token_msg;
typedef Lyceum__Convening__V1__Standing standing_msg;
typedef Lyceum__Convening__V1__ConveningConfig config_msg;

#endif
