//! Feldman's verifiable secret sharing over ristretto255: the dealer's side of `frost-ristretto255`.
//!
//! A secret and a share are scalars, a commitment is a point; each is 32 bytes in the one canonical encoding. Several stand
//! one after the other. Holders are numbers from 1.

use frost_ristretto255::keys::{
    self, IdentifierList, KeyPackage, SecretShare, SigningShare, VerifiableSecretSharingCommitment,
};
use frost_ristretto255::{Identifier, SigningKey};
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use rand_core::OsRng;

const MAX_HOLDERS: u16 = 100;
const SIZE: usize = 32;

create_exception!(hutong_native, SharingRefused, PyValueError, "Its two arguments: a code, and the number of the holder meant, or None.");

/// Why something is refused; the code is what Python reads.
#[derive(Clone, Copy)]
struct Refusal {
    code: &'static str,
    holder: Option<u16>,
}

impl Refusal {
    fn of(code: &'static str) -> Self {
        Refusal { code, holder: None }
    }

    fn by(code: &'static str, holder: u16) -> Self {
        Refusal { code, holder: Some(holder) }
    }
}

impl From<Refusal> for PyErr {
    fn from(refusal: Refusal) -> PyErr {
        SharingRefused::new_err((refusal.code, refusal.holder))
    }
}

/// Secret, commitments, shares of the holders 1 to `holders`.
type Dealt = (Vec<u8>, Vec<u8>, Vec<u8>);

fn dealt(threshold: u16, holders: u16) -> Result<Dealt, Refusal> {
    if holders > MAX_HOLDERS || threshold < 2 || threshold > holders {
        return Err(Refusal::of("counts"));
    }
    let library = |_| Refusal::of("library");
    let secret = SigningKey::new(&mut OsRng);
    let (shares, _) =
        keys::split(&secret, holders, threshold, IdentifierList::Default, &mut OsRng).map_err(library)?;
    let mut encoded = Vec::with_capacity(usize::from(holders) * SIZE);
    let mut commitments = Vec::new();
    for number in 1..=holders {
        let share = shares.get(&identifier(number)?).ok_or(Refusal::of("library"))?;
        encoded.extend(share.signing_share().serialize());
        if commitments.is_empty() {
            commitments = share.commitment().serialize_whole().map_err(library)?;
        }
    }
    Ok((secret.serialize(), commitments, encoded))
}

fn identifier(holder: u16) -> Result<Identifier, Refusal> {
    if holder == 0 || holder > MAX_HOLDERS {
        return Err(Refusal::of("holder"));
    }
    Identifier::try_from(holder).map_err(|_| Refusal::of("holder"))
}

fn parsed(commitments: &[u8]) -> Result<VerifiableSecretSharingCommitment, Refusal> {
    let sizes = 2 * SIZE..=usize::from(MAX_HOLDERS) * SIZE;
    if !sizes.contains(&commitments.len()) || commitments.len() % SIZE != 0 {
        return Err(Refusal::of("commitments"));
    }
    VerifiableSecretSharingCommitment::deserialize_whole(commitments).map_err(|_| Refusal::of("commitments"))
}

fn verified(
    commitments: &VerifiableSecretSharingCommitment,
    holder: u16,
    share: &[u8],
) -> Result<KeyPackage, Refusal> {
    let identifier = identifier(holder)?;
    let share = SigningShare::deserialize(share).map_err(|_| Refusal::by("share", holder))?;
    KeyPackage::try_from(SecretShare::new(identifier, share, commitments.clone()))
        .map_err(|_| Refusal::by("inconsistent", holder))
}

fn joined(commitments: &[u8], holders: &[u16], shares: &[u8]) -> Result<Vec<u8>, Refusal> {
    if holders.len() > usize::from(MAX_HOLDERS) || shares.len() != holders.len() * SIZE {
        return Err(Refusal::of("counts"));
    }
    let threshold = commitments.len() / SIZE;
    let commitments = parsed(commitments)?;
    let mut packages = Vec::with_capacity(holders.len());
    for (index, (&holder, share)) in holders.iter().zip(shares.chunks_exact(SIZE)).enumerate() {
        if holders[..index].contains(&holder) {
            return Err(Refusal::by("twice", holder));
        }
        packages.push(verified(&commitments, holder, share)?);
    }
    if packages.len() < threshold {
        return Err(Refusal::of("too-few"));
    }
    keys::reconstruct(&packages).map(|secret| secret.serialize()).map_err(|_| Refusal::of("library"))
}

/// A fresh secret with its commitments and the shares of the holders 1 to `holders`, any `threshold` of which give it.
#[pyfunction]
fn split<'py>(
    py: Python<'py>,
    threshold: u16,
    holders: u16,
) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
    let (secret, commitments, shares) = py.detach(|| dealt(threshold, holders))?;
    Ok((PyBytes::new(py, &secret), PyBytes::new(py, &commitments), PyBytes::new(py, &shares)))
}

/// Returns where the share is the one that the commitments fix for this holder.
#[pyfunction]
fn verify_share(py: Python<'_>, commitments: &[u8], holder: u16, share: &[u8]) -> PyResult<()> {
    py.detach(|| verified(&parsed(commitments)?, holder, share).map(drop)).map_err(PyErr::from)
}

/// The secret; every share is verified before, and the first that is not consistent is named.
#[pyfunction]
fn reconstruct<'py>(
    py: Python<'py>,
    commitments: &[u8],
    holders: Vec<u16>,
    shares: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
    let secret = py.detach(|| joined(commitments, &holders, shares))?;
    Ok(PyBytes::new(py, &secret))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("SharingRefused", module.py().get_type::<SharingRefused>())?;
    module.add("MAX_HOLDERS", MAX_HOLDERS)?;
    module.add_function(wrap_pyfunction!(split, module)?)?;
    module.add_function(wrap_pyfunction!(verify_share, module)?)?;
    module.add_function(wrap_pyfunction!(reconstruct, module)?)
}
