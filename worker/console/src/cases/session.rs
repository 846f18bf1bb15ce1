//! Setting up, signing in, signing out, and knowing who is there.

use crate::{
    password,
    vault::ask,
    visitor::{Credential, SESSION_COOKIE, Visitor, random},
};
use ownchat_domain::{
    account::{PersonId, SessionToken, SetupRequest, SignInRequest, email},
    failure::Failure,
    vault::{
        Object,
        instance::{BeginSignIn, CheckSetup, ForgetAttempts, SetUp},
        person::{EndSession, Identity, OpenSession, ReadPassword, Resume},
    },
};
use ownchat_ui::backend::Cookie;
use worker::console_error;
use zeroize::Zeroizing;

/// Seconds after which a browser forgets the cookie: as long as a session can last.
const COOKIE_LIFETIME: u32 = 12 * 60 * 60;

/// Whether this set-up token is good.
pub async fn check_setup(visitor: &Visitor, token: String) -> Result<(), Failure> {
    ask(&visitor.env, Object::Instance, &CheckSetup { token }).await
}

/// Makes the first owner and signs them in.
pub async fn set_up(visitor: &Visitor, request: &SetupRequest) -> Result<Cookie, Failure> {
    // Looked at first, since hashing costs much and a wrong token must not make us do it.
    check_setup(visitor, request.token.trim().to_owned()).await?;
    let request = request.check()?;
    let call = SetUp {
        token: request.token,
        name: request.name,
        email: request.email,
        password: password::hash(&request.password)?,
        workspace: request.workspace,
    };
    let person = ask(&visitor.env, Object::Instance, &call).await?;
    open(visitor, person).await
}

/// Signs in. Attempts are counted before anything is hashed, so that guessing is slow and cheap for us.
pub async fn sign_in(visitor: &Visitor, request: &SignInRequest) -> Result<Cookie, Failure> {
    let email = email(&request.email).map_err(|_| Failure::WrongCredentials)?;
    if !request.password.is_plausible() {
        return Err(Failure::WrongCredentials);
    }
    let begin = BeginSignIn { email, address: visitor.address.clone() };
    let person = ask(&visitor.env, Object::Instance, &begin).await?;
    let hash = match person {
        Some(person) => Some(ask(&visitor.env, Object::Person(person), &ReadPassword {}).await?),
        None => None,
    };
    let fits = password::fits(&request.password, hash.as_deref())?;
    let person = person.filter(|_| fits).ok_or(Failure::WrongCredentials)?;
    let forget = ForgetAttempts { email: begin.email, address: begin.address };
    ask(&visitor.env, Object::Instance, &forget).await?;
    open(visitor, person).await
}

async fn open(visitor: &Visitor, person: PersonId) -> Result<Cookie, Failure> {
    let secret = random().map_err(|error| {
        console_error!("session: {error}");
        Failure::Unavailable
    })?;
    let token = SessionToken::new(person, secret);
    let call = OpenSession { session: token.hash(), address: visitor.address.clone() };
    ask(&visitor.env, Object::Person(person), &call).await?;
    Ok(cookie(&token.reveal(), COOKIE_LIFETIME))
}

/// Ends the session of the request, if it has one.
pub async fn sign_out(visitor: &Visitor) -> Result<Cookie, Failure> {
    if let Credential::Session(token) = &*visitor.credential {
        match ask(&visitor.env, Object::Person(token.person), &EndSession { session: token.hash() }).await {
            // Of an account that is not there no session is left either.
            Ok(()) | Err(Failure::NotSignedIn) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(cookie("", 0))
}

/// Who is there; prolongs the session.
pub async fn resume(visitor: &Visitor) -> Result<(PersonId, Identity), Failure> {
    let Credential::Session(token) = &*visitor.credential else { return Err(Failure::NotSignedIn) };
    let identity = ask(&visitor.env, Object::Person(token.person), &Resume { session: token.hash() }).await?;
    Ok((token.person, identity))
}

fn cookie(value: &str, lifetime: u32) -> Cookie {
    Cookie(Zeroizing::new(format!(
        "{SESSION_COOKIE}={value}; Path=/; Max-Age={lifetime}; Secure; HttpOnly; SameSite=Lax"
    )))
}
