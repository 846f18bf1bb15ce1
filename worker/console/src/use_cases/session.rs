//! Use cases of accounts and sessions: set-up, sign-in, sign-out, and authentication by session.

use super::events;
use crate::{
    log,
    request_context::{DEVICE_COOKIE, PROBE_COOKIE, RequestContext, RequestCredential, SESSION_COOKIE, random},
    vault::ask,
};
use ownchat_domain::{
    account::{DeviceToken, PersonId, SessionToken, SetupRequest, SignInRequest, email},
    audit::Action,
    failure::Failure,
    vault::{
        Object,
        hasher::{CheckPassword, HashPassword, Queue},
        instance::{BeginSignIn, CheckSetup, ForgetAttempts, SetUp, WithdrawAttempt},
        person::{EndSession, Identity, OpenSession, ReadPassword, Resume},
    },
};
use ownchat_ui::backend::Cookies;
use zeroize::Zeroizing;

/// Lifetime of the session cookie in seconds: the maximum lifetime of a session.
const SESSION_LIFETIME: u32 = 12 * 60 * 60;
/// Lifetime of the device cookie in seconds. Each sign-in renews it.
const DEVICE_LIFETIME: u32 = 365 * 24 * 60 * 60;

/// Lifetime of the probe cookie in seconds: a form may stay open this long before it is sent.
const PROBE_LIFETIME: u32 = 60 * 60;

/// Fails unless the set-up token is valid.
pub async fn check_setup(context: &RequestContext, token: String) -> Result<(), Failure> {
    ask(context, Object::Instance, &CheckSetup { token, address: context.address.clone() }).await
}

/// Creates the first owner and signs them in.
pub async fn set_up(context: &RequestContext, request: &SetupRequest) -> Result<Cookies, Failure> {
    // Check the token first: hashing is expensive, and a wrong token must not cause it.
    check_setup(context, request.token.trim().to_owned()).await?;
    let request = request.check()?;
    let hash = HashPassword { password: request.password };
    let call = SetUp {
        token: request.token,
        address: context.address.clone(),
        name: request.name,
        email: request.email,
        password: ask(context, Object::Hasher(Queue::Known), &hash).await?,
        workspace: request.workspace,
    };
    let person = ask(context, Object::Instance, &call).await?;
    open(context, person, &call.email, None).await
}

/// Signs in. Counts attempts before hashing, so that guessing is slow and costs us little.
pub async fn sign_in(context: &RequestContext, request: &SignInRequest) -> Result<Cookies, Failure> {
    let email = email(&request.email).map_err(|_| Failure::WrongCredentials)?;
    if !request.password.is_plausible() {
        return Err(Failure::WrongCredentials);
    }
    let keys = context.cookie_keys()?;
    let mut known = [Some(&context.device), request.device.as_ref()].into_iter().flatten();
    let device = known.find_map(|value| DeviceToken::open(value, &email, &keys));
    let begin = BeginSignIn { email, address: context.address.clone(), device: device.map(DeviceToken::id) };
    let person = ask(context, Object::Instance, &begin).await?;
    let hash = match person {
        Some(person) => Some(ask(context, Object::Person(person), &ReadPassword {}).await?),
        None => None,
    };
    let queue = if begin.device.is_some() { Queue::Known } else { Queue::Open };
    let check = CheckPassword { password: request.password.clone(), hash };
    let fits = match ask(context, Object::Hasher(queue), &check).await {
        Ok(fits) => fits,
        Err(failure) => {
            let withdraw = WithdrawAttempt { attempt: begin };
            ask(context, Object::Instance, &withdraw).await?;
            return Err(failure);
        }
    };
    let Some(person) = person.filter(|_| fits) else {
        events::of_account(context, person, Action::SignInFailed);
        return Err(Failure::WrongCredentials);
    };
    let forget = ForgetAttempts { email: begin.email, address: begin.address, device: begin.device };
    ask(context, Object::Instance, &forget).await?;
    // The browser drops its previous session, so nothing else may continue it.
    end(context).await?;
    let cookies = open(context, person, &forget.email, device).await?;
    events::of_account(context, Some(person), Action::SignIn);
    Ok(cookies)
}

/// Opens a session and makes the device known to the account, if it is not yet.
async fn open(
    context: &RequestContext,
    person: PersonId,
    email: &str,
    device: Option<DeviceToken>,
) -> Result<Cookies, Failure> {
    let (secret, new) = (drawn(context)?, DeviceToken::new(drawn(context)?));
    let keys = context.cookie_keys()?;
    let token = SessionToken::new(person, secret);
    let call = OpenSession { session: token.hash(), address: context.address.clone() };
    ask(context, Object::Person(person), &call).await?;
    Ok(Cookies(vec![
        cookie(SESSION_COOKIE, &token.reveal(&keys), SESSION_LIFETIME),
        cookie(DEVICE_COOKIE, &device.unwrap_or(new).reveal(email, &keys), DEVICE_LIFETIME),
    ]))
}

fn drawn(context: &RequestContext) -> Result<[u8; 16], Failure> {
    random().map_err(|error| {
        log::error(&context.request_id, &format!("session: {error}"));
        Failure::Unavailable
    })
}

/// Signs out: revokes the request's session, if any.
pub async fn sign_out(context: &RequestContext) -> Result<Cookies, Failure> {
    events::of_session(context, Action::SignOut).await;
    end(context).await?;
    Ok(Cookies(vec![cookie(SESSION_COOKIE, "", 0)]))
}

/// Revokes the request's session, if any.
async fn end(context: &RequestContext) -> Result<(), Failure> {
    if let RequestCredential::Session(token) = &*context.credential {
        match ask(context, Object::Person(token.person), &EndSession { session: token.hash() }).await {
            // A missing account has no session either.
            Ok(()) | Err(Failure::NotSignedIn) => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(())
}

/// Returns the signed-in person, and extends the session.
pub async fn resume(context: &RequestContext) -> Result<(PersonId, Identity), Failure> {
    let RequestCredential::Session(token) = &*context.credential else { return Err(Failure::NotSignedIn) };
    let identity = ask(context, Object::Person(token.person), &Resume { session: token.hash() }).await?;
    Ok((token.person, identity))
}

/// Returns a cookie that probes if the browser stores ours, in case it may refuse them.
pub fn probe(context: &RequestContext) -> Cookies {
    let probe = context.is_insecure.then(|| cookie(PROBE_COOKIE, "1", PROBE_LIFETIME));
    Cookies(probe.into_iter().collect())
}

/// Formats a `Set-Cookie` value for this host alone, inaccessible to scripts.
pub fn cookie(name: &str, value: &str, lifetime: u32) -> Zeroizing<String> {
    Zeroizing::new(format!("{name}={value}; Path=/; Max-Age={lifetime}; Secure; HttpOnly; SameSite=Lax"))
}
