//! What the invented people write to each other: threads of some days when the business is made, and a line now and then
//! while it moves.

use super::dice::Dice;
use super::people::{self, Guest, Helper};
use crate::domain::booking::plus;
use crate::domain::client::Client;
use crate::domain::id::ClientId;
use crate::domain::message::Body;
use crate::domain::viewer::{ClientViewer, StaffViewer, Viewer};
use crate::secret;
use crate::store::thread::{self, NewMessage, Read};
use crate::store::{Db, Error, client, staff};
use jiff::civil::time;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Whose line it is: the client's, or that of the first or second member of staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Client,
    Staff(usize),
}

use By::Client as C;
use By::Staff as S;

/// When a line was written: so many days ago at a time of day, or so many minutes ago.
#[derive(Debug, Clone, Copy)]
enum When {
    Day(i32, i8, i8),
    Ago(i64),
}

use When::{Ago, Day};

type Line = (When, By, &'static str);

/// Whose thread it is among the clients, what was written, and whether the other side has read to the end.
struct Talk {
    client: usize,
    lines: &'static [Line],
    read: bool,
}

const TALKS: [Talk; 7] = [
    Talk {
        client: 0,
        lines: &[
            (
                Day(9, 11, 20),
                S(0),
                "Hello Thandi, good to have you back. If anything hurts more than before, write here and I will look at it the same day.",
            ),
            (
                Day(9, 12, 4),
                C,
                "Thank you, I will. Is it fine to cycle to work?",
            ),
            (
                Day(9, 12, 31),
                S(0),
                "Yes, if it stays flat. Keep the saddle a little higher than you used to.",
            ),
            (
                Day(4, 16, 2),
                S(0),
                "How did the knee feel after the last session?",
            ),
            (
                Day(4, 16, 40),
                C,
                "Much better going down stairs. Still stiff in the mornings though.",
            ),
            (
                Day(4, 17, 5),
                S(0),
                "That is what we want to see. Two minutes of slow circles before you get up help with the stiffness:\nhttps://kestrel.example/knee-circles",
            ),
            (Day(4, 18, 12), C, "I will try that, thanks!"),
            (
                Ago(96),
                S(0),
                "Good. Your home programme is up. Start with the first two only.",
            ),
        ],
        read: false,
    },
    Talk {
        client: 1,
        lines: &[
            (
                Day(13, 9, 15),
                C,
                "Good morning, do I need to bring the scan from the hospital?",
            ),
            (
                Day(13, 9, 48),
                S(1),
                "Morning Pieter. The report is enough, a photo of it will do.",
            ),
            (Day(13, 10, 2), C, "Will do."),
            (Day(13, 10, 5), S(1), "Thank you, see you then."),
            (
                Day(1, 15, 30),
                C,
                "The exercises with the band are going well, but the shoulder clicks when I lift my arm to the side.",
            ),
            (Ago(171), C, "Should I leave that one out until I see you?"),
        ],
        read: false,
    },
    Talk {
        client: 2,
        lines: &[
            (
                Day(20, 13, 40),
                S(0),
                "Hello Aisha, here is the breathing exercise we spoke about: four counts in, six counts out, five minutes a day.",
            ),
            (
                Day(20, 19, 22),
                C,
                "Thank you! I did it tonight and slept well.",
            ),
            (
                Day(6, 8, 10),
                C,
                "Can my mother come along next time? She has questions about her hip.",
            ),
            (Day(6, 8, 55), S(0), "Of course, bring her."),
            (Day(6, 9, 1), C, "Lovely, see you then."),
            (Day(6, 9, 20), S(0), "See you, greetings to her."),
        ],
        read: true,
    },
    Talk {
        client: 3,
        lines: &[
            (Day(2, 10, 12), C, "Is there parking close by?"),
            (
                Day(2, 10, 30),
                S(1),
                "Yes, behind the building. Ring at the gate and we open it.",
            ),
            (Day(2, 10, 34), C, "Perfect, thanks."),
            (Day(2, 10, 36), S(1), "See you!"),
        ],
        read: true,
    },
    Talk {
        client: 5,
        lines: &[(
            Ago(38),
            C,
            "I am running about ten minutes late today, sorry!",
        )],
        read: false,
    },
    Talk {
        client: 6,
        lines: &[
            (
                Day(3, 14, 3),
                S(0),
                "Hi Bongani, you left a blue water bottle here. It waits at the desk.",
            ),
            (Day(3, 14, 47), C, "Thanks, I will pick it up next week."),
            (Day(3, 14, 50), S(0), "No hurry."),
        ],
        read: true,
    },
    Talk {
        client: 8,
        lines: &[(Day(1, 17, 20), S(1), "How is the ankle after the weekend?")],
        read: true,
    },
];

/// Writes the threads, and reads what was answered.
pub(super) async fn fill(
    db: &Db,
    zone: &TimeZone,
    now: Timestamp,
    staff: &[Helper],
    clients: &[Guest],
) -> Result<(), Error> {
    // Where a day's time is yet to come, or would be after the newest.
    let newest = plus(now, -200);
    for talk in &TALKS {
        let Some(guest) = clients.get(talk.client).filter(|guest| guest.joined) else {
            continue;
        };
        let reader = Viewer::Client(ClientViewer {
            person: guest.person,
            client: guest.id,
            name: guest.name.clone(),
        });
        let mut last = By::Client;
        for (when, by, text) in talk.lines {
            let viewer = match by {
                By::Client => reader.clone(),
                By::Staff(n) => match staff.get(*n) {
                    Some(helper) => as_staff(helper),
                    None => continue,
                },
            };
            let at = match when {
                Ago(minutes) => plus(now, -minutes),
                Day(days, hour, minute) => {
                    let today = now.to_zoned(zone.clone()).date();
                    let day = today.saturating_sub(Span::new().days(*days));
                    let at = day
                        .to_datetime(time(*hour, *minute, 0, 0))
                        .to_zoned(zone.clone());
                    at.map_or(newest, |at| at.timestamp()).min(newest)
                }
            };
            if *by != By::Client && last == By::Client {
                // Who answers has read, and so have their colleagues by now.
                for helper in staff {
                    read(db, as_staff(helper), guest.id, at).await?;
                }
            }
            send(db, viewer, guest.id, text, at).await?;
            last = *by;
        }
        if talk.read && last == By::Client {
            for helper in staff {
                read(db, as_staff(helper), guest.id, now).await?;
            }
        } else if talk.read {
            read(db, reader, guest.id, now).await?;
        }
    }
    Ok(())
}

fn as_staff(helper: &Helper) -> Viewer {
    Viewer::Staff(StaffViewer {
        person: helper.person,
        staff: helper.id,
        name: helper.name.clone(),
        role: helper.role,
    })
}

async fn send(
    db: &Db,
    viewer: Viewer,
    client: ClientId,
    text: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let message = NewMessage {
        viewer,
        client,
        body: Body::parse(text).expect("the lines here are short texts"),
        key: secret::token(),
        now,
    };
    db.transact(message, |tx, message| Box::pin(thread::send(tx, message)))
        .await?;
    Ok(())
}

async fn read(db: &Db, viewer: Viewer, client: ClientId, now: Timestamp) -> Result<(), Error> {
    let read = Read {
        viewer,
        client,
        upto: i64::MAX,
        now,
    };
    db.transact(read, |tx, read| Box::pin(thread::read(tx, read)))
        .await
}

const QUESTIONS: [&str; 8] = [
    "Good morning! Should I bring anything to the session?",
    "The back is much better today, thank you.",
    "Is it normal that the calf is sore the day after?",
    "Could you send me the name of that stretch again?",
    "I slept through for the first time in weeks!",
    "Do you have anything on Friday afternoon?",
    "The tape came off in the shower, is that a problem?",
    "Thanks for today.",
];

const ANSWERS: [&str; 6] = [
    "That is good to hear.",
    "Yes, that is normal. Take it easy today and tell me tomorrow how it is.",
    "Nothing at all, only comfortable clothes.",
    "No problem, we look at it next time.",
    "The free times are up to date under Bookings.",
    "You are welcome!",
];

/// Someone who is not known writes, or whoever has waited longest is answered.
pub(super) async fn write(db: &Db, now: Timestamp, dice: &mut Dice) -> Result<(), Error> {
    let mut tx = db.snapshot().await?;
    let mut clients = client::list(&mut tx, now).await?;
    clients.retain(|client| client.joined && !people::is_known(&client.email));
    let helpers = staff::list(&mut tx).await?;
    let threads = thread::list(&mut tx, 200).await?;
    drop(tx);
    let is_other = |id: ClientId| clients.iter().any(|client| client.id == id);
    let waiting = threads
        .iter()
        .filter(|thread| is_other(thread.client))
        .filter_map(|thread| Some((thread.waiting_since?, thread.client)))
        .min();
    let answers = dice.chance(60);
    if let (Some((_, client)), Some(helper), true) = (waiting, dice.pick(&helpers), answers) {
        let viewer = Viewer::Staff(StaffViewer {
            person: helper.person,
            staff: helper.id,
            name: helper.name.clone(),
            role: helper.role,
        });
        let text = dice.pick(&ANSWERS).copied().unwrap_or(ANSWERS[0]);
        return send(db, viewer, client, text, now).await;
    }
    let Some(client) = dice.pick(&clients) else {
        return Ok(());
    };
    let text = dice.pick(&QUESTIONS).copied().unwrap_or(QUESTIONS[0]);
    send(db, as_client(client), client.id, text, now).await
}

fn as_client(client: &Client) -> Viewer {
    Viewer::Client(ClientViewer {
        person: client.person,
        client: client.id,
        name: client.name.clone(),
    })
}
