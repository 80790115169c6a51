//! S19: wrong passwords slow the next try, on every instance, and lock nobody out.

use crate::browser::{Answer, Browser};
use crate::house::{House, On, PASSWORD, Server, on_both};
use std::time::Duration;

const WRONG: &str = "not the right one";

/// A browser on another machine.
fn elsewhere(server: &Server) -> Browser {
    Browser::at(server.address, Some("127.0.0.2".parse().unwrap()))
}

/// Seconds that an answer asks to wait.
fn wait(answer: &Answer) -> u64 {
    assert_eq!(answer.status, 429, "{}", answer.body);
    assert!(answer.body.contains("Too many tries"), "{}", answer.body);
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait} s");
    wait
}

on_both!(
    a_hundred_wrong_passwords_slow_down_and_lock_nobody_out,
    |house: House| async move {
        let server = house.serve().await;
        let attacker = server.browser();
        let mut tried = Vec::new();
        for _ in 0..100 {
            tried.push(attacker.try_password("naledi", WRONG).await);
        }
        for (n, answer) in tried.iter().enumerate() {
            if n < 5 {
                assert_eq!(answer.status, 422, "try {n}");
            } else {
                wait(answer);
            }
        }
        // The waits grow to half a minute, and no further.
        let mut waits = Vec::new();
        while waits.len() < 8 {
            let answer = attacker.try_password("naledi", WRONG).await;
            waits.push(wait(&answer));
            house
                .clock()
                .advance(Duration::from_secs(waits[waits.len() - 1]));
            assert_eq!(attacker.try_password("naledi", WRONG).await.status, 422);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 30, 30, 30]);

        // From a machine that never failed the owner gets in a second after the attacker's last try …
        let owner = elsewhere(&server);
        let answer = owner.try_password("naledi", PASSWORD).await;
        assert_eq!(wait(&answer), 1);
        house.clock().advance(Duration::from_secs(1));
        assert_eq!(owner.try_password("naledi", PASSWORD).await.status, 303);
        // … after which the account is as new, while the attacker's machine is not.
        let statuses = [
            owner.try_password("naledi", WRONG).await.status,
            owner.try_password("naledi", PASSWORD).await.status,
        ];
        assert_eq!(statuses, [422, 303]);
    }
);

on_both!(
    the_owner_gets_in_from_the_attackers_own_address_after_the_wait,
    |house: House| async move {
        let server = house.serve().await;
        let same = server.browser();
        for _ in 0..5 {
            assert_eq!(same.try_password("naledi", WRONG).await.status, 422);
        }
        let answer = same.try_password("naledi", PASSWORD).await;
        house.clock().advance(Duration::from_secs(wait(&answer)));
        assert_eq!(same.try_password("naledi", PASSWORD).await.status, 303);
    }
);

on_both!(only_failures_count, |house: House| async move {
    let server = house.serve().await;
    let office = server.browser();
    for _ in 0..30 {
        assert_eq!(office.try_password("thandi", PASSWORD).await.status, 303);
    }
    for _ in 0..4 {
        assert_eq!(office.try_password("thandi", WRONG).await.status, 422);
    }
    assert_eq!(office.try_password("thandi", PASSWORD).await.status, 303);
    // A form that cannot be read is no try.
    for _ in 0..30 {
        assert_eq!(
            office
                .post("/login", &[("email", "thandi@kestrel.example")])
                .await
                .status,
            422
        );
    }
    assert_eq!(office.try_password("thandi", PASSWORD).await.status, 303);
});

on_both!(
    one_guess_at_each_of_many_accounts_is_slowed_by_address,
    |house: House| async move {
        let server = house.serve().await;
        let attacker = server.browser();
        for n in 0..100 {
            let answer = attacker.try_password(&format!("nobody-{n}"), WRONG).await;
            if n < 20 {
                assert_eq!(answer.status, 422, "account {n}");
            } else {
                wait(&answer);
            }
        }
        assert_eq!(
            elsewhere(&server)
                .try_password("thandi", PASSWORD)
                .await
                .status,
            303
        );
    }
);

on_both!(two_instances_count_together, |house: House| async move {
    let other = house.another("http://127.0.0.1").await;
    let (one, two) = (house.serve().await, Server::of(&other).await);
    for n in 0..5 {
        let server = if n % 2 == 0 { &one } else { &two };
        assert_eq!(
            server.browser().try_password("naledi", WRONG).await.status,
            422
        );
    }
    for server in [&one, &two] {
        wait(&server.browser().try_password("naledi", PASSWORD).await);
    }
    house.clock().advance(Duration::from_secs(1));
    assert_eq!(
        two.browser().try_password("naledi", PASSWORD).await.status,
        303
    );
    assert_eq!(
        one.browser().try_password("naledi", WRONG).await.status,
        422
    );
});

on_both!(
    a_rush_of_guesses_does_not_slip_through_together,
    |house: House| async move {
        let server = house.serve().await;
        let mut rush = tokio::task::JoinSet::new();
        for _ in 0..40 {
            let browser = server.browser();
            rush.spawn(async move { browser.try_password("naledi", WRONG).await.status });
        }
        let tried = rush
            .join_all()
            .await
            .into_iter()
            .filter(|status| *status == 422);
        assert_eq!(tried.count(), 5);
    }
);

on_both!(links_are_not_sent_without_end, |house: House| async move {
    let server = house.serve().await;
    let browser = server.browser();
    for (n, who) in ["thandi", "nobody"]
        .into_iter()
        .cycle()
        .take(20)
        .enumerate()
    {
        let email = format!("{who}@kestrel.example");
        let answer = browser.post("/reset", &[("email", &email)]).await;
        if n < 10 {
            assert_eq!(answer.status, 200, "{n}");
        } else {
            wait(&answer);
        }
    }
});
