//! Times of day, weekdays and zones.

use std::fmt;
use std::str::FromStr;

/// A wall-clock time of day, to the minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(u16);

/// Why a text is no time of day.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not `HH:MM` between 00:00 and 23:59.
    #[error("not a time of day: write HH:MM from 00:00 to 23:59")]
    TimeOfDay,
    /// No zone of the IANA database.
    #[error("not a time zone of the IANA database, as in \"America/New_York\"")]
    Zone,
}

impl TimeOfDay {
    /// The time `hour:minute`, if there is one.
    pub fn new(hour: u8, minute: u8) -> Option<Self> {
        (hour < 24 && minute < 60).then(|| Self(u16::from(hour) * 60 + u16::from(minute)))
    }

    /// Minutes since 00:00, 0 to 1439.
    pub const fn minutes(self) -> u16 {
        self.0
    }

    /// 0 to 23.
    #[expect(clippy::cast_possible_truncation, reason = "at most 1439 / 60")]
    pub const fn hour(self) -> u8 {
        (self.0 / 60) as u8
    }

    /// 0 to 59.
    pub const fn minute(self) -> u8 {
        (self.0 % 60) as u8
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.hour(), self.minute())
    }
}

impl FromStr for TimeOfDay {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let (hour, minute) = text.split_once(':').ok_or(TimeError::TimeOfDay)?;
        let two_digits = |part: &str| -> Option<u8> {
            (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse().ok()).flatten()
        };
        two_digits(hour)
            .zip(two_digits(minute))
            .and_then(|(hour, minute)| Self::new(hour, minute))
            .ok_or(TimeError::TimeOfDay)
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// Monday first.
    pub const ALL: [Self; 7] =
        [Self::Monday, Self::Tuesday, Self::Wednesday, Self::Thursday, Self::Friday, Self::Saturday, Self::Sunday];

    /// As the fleet file writes it: `mon` to `sun`.
    pub const fn short(self) -> &'static str {
        ["mon", "tue", "wed", "thu", "fri", "sat", "sun"][self as usize]
    }

    /// launchd.plist(5), `StartCalendarInterval`: 0 and 7 are Sunday; we write 0.
    pub const fn launchd(self) -> u8 {
        (self as u8 + 1) % 7
    }

    /// The weekday of a civil date.
    pub fn of(date: jiff::civil::Date) -> Self {
        #[expect(clippy::cast_sign_loss, reason = "0 to 6")]
        Self::ALL[date.weekday().to_monday_zero_offset() as usize]
    }
}

/// A set of weekdays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Weekdays([bool; 7]);

impl Weekdays {
    /// Every day.
    pub const DAILY: Self = Self([true; 7]);

    /// The set of the days given.
    pub fn of(days: impl IntoIterator<Item = Weekday>) -> Self {
        let mut set = [false; 7];
        for day in days {
            set[day as usize] = true;
        }
        Self(set)
    }

    /// Whether the day is in the set.
    pub const fn contains(self, day: Weekday) -> bool {
        self.0[day as usize]
    }

    /// The days, Monday first.
    pub fn iter(self) -> impl Iterator<Item = Weekday> {
        Weekday::ALL.into_iter().filter(move |day| self.contains(*day))
    }
}

/// A time zone of the IANA database.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    rules: jiff::tz::TimeZone,
}

impl Zone {
    /// Looks the zone up in the bundled database. Errors: [`TimeError::Zone`].
    pub fn new(name: &str) -> Result<Self, TimeError> {
        let rules = jiff::tz::TimeZone::get(name).map_err(|_| TimeError::Zone)?;
        Ok(Self { name: name.to_owned(), rules })
    }

    /// The name as declared.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The rules of the zone.
    pub const fn rules(&self) -> &jiff::tz::TimeZone {
        &self.rules
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Zone").field(&self.name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day() {
        assert_eq!("23:59".parse::<TimeOfDay>().map(TimeOfDay::minutes), Ok(1_439));
        for text in ["24:00", "25:00", "1:00", "12:60", "12", "aa:bb", "12:00:00", "+1:00"] {
            assert_eq!(text.parse::<TimeOfDay>(), Err(TimeError::TimeOfDay), "{text}");
        }
    }

    #[test]
    fn sunday_is_launchds_zero() {
        assert_eq!(Weekday::Sunday.launchd(), 0);
        assert_eq!(Weekday::Monday.launchd(), 1);
        assert_eq!(Weekday::of(jiff::civil::date(2026, 11, 23)), Weekday::Monday);
    }

    #[test]
    fn zones() {
        assert!(Zone::new("America/New_York").is_ok());
        assert_eq!(Zone::new("Mars/Olympus"), Err(TimeError::Zone));
    }
}
