use std::{
    borrow::Cow,
    marker::PhantomData,
    ops::{Bound, RangeBounds},
};

use ic_stable_structures::{Memory, StableBTreeMap, StableCell, Storable, storable};
use interface::Error;
use serde::{Serialize, de::DeserializeOwned};

use super::key::Key;

/// First byte of every stored record. A later version of a record that `#[serde(default)]` cannot bridge gets
/// another number and a reader of its own.
const VERSION: u8 = 1;

/// A record's bytes. Decoding is left to the table, since [`Storable::from_bytes`] cannot fail.
struct Encoded(Vec<u8>);

impl Storable for Encoded {
    const BOUND: storable::Bound = storable::Bound::Unbounded;

    fn to_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }

    fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn from_bytes(bytes: Cow<'_, [u8]>) -> Self {
        Self(bytes.into_owned())
    }
}

impl Encoded {
    fn of(record: &impl Serialize) -> Result<Self, Error> {
        let mut bytes = vec![VERSION];
        ciborium::into_writer(record, &mut bytes).map_err(Error::internal)?;
        Ok(Self(bytes))
    }

    fn decode<V: DeserializeOwned>(&self) -> Result<V, Error> {
        match self.0.split_first() {
            Some((&VERSION, cbor)) => ciborium::from_reader(cbor).map_err(Error::internal),
            Some((version, _)) => Err(Error::internal(format!("record of version {version}"))),
            None => Err(Error::internal("empty record")),
        }
    }
}

/// A map in stable memory from ordered keys to records in versioned CBOR.
///
/// Keys are stored as bytes in the same order, so that all tables share one map's code.
pub struct Table<K: Key, V, M: Memory> {
    map: StableBTreeMap<Vec<u8>, Encoded, M>,
    types: PhantomData<(K, V)>,
}

impl<K: Key, V: Serialize + DeserializeOwned, M: Memory> Table<K, V, M> {
    /// Opens the table, or an empty one in unused memory.
    pub fn open(memory: M) -> Self {
        Self { map: StableBTreeMap::init(memory), types: PhantomData }
    }

    /// The record of `key`.
    pub fn get(&self, key: &K) -> Result<Option<V>, Error> {
        self.map.get(&key.encode()).map(|bytes| bytes.decode()).transpose()
    }

    /// Whether there is a record of `key`.
    pub fn contains(&self, key: &K) -> bool {
        self.map.contains_key(&key.encode())
    }

    /// Sets the record of `key`.
    pub fn put(&mut self, key: K, record: &V) -> Result<(), Error> {
        self.map.insert(key.encode(), Encoded::of(record)?);
        Ok(())
    }

    /// Removes the record of `key`.
    pub fn remove(&mut self, key: &K) {
        self.map.remove(&key.encode());
    }

    /// Number of records.
    pub fn len(&self) -> u64 {
        self.map.len()
    }

    /// Records in the order of their keys, from either end.
    pub fn range(&self, keys: impl RangeBounds<K>) -> impl DoubleEndedIterator<Item = Result<(K, V), Error>> {
        self.map.range(encode_bounds(keys)).map(|entry| {
            let (key, bytes) = entry.into_pair();
            Ok((decode_key(&key)?, bytes.decode()?))
        })
    }

    /// Keys in order.
    pub fn keys(&self, keys: impl RangeBounds<K>) -> impl DoubleEndedIterator<Item = Result<K, Error>> {
        self.map.keys_range(encode_bounds(keys)).map(|key| decode_key(&key))
    }
}

fn decode_key<K: Key>(bytes: &[u8]) -> Result<K, Error> {
    K::decode(bytes).ok_or_else(|| Error::internal("unreadable key"))
}

fn encode_bounds<K: Key>(keys: impl RangeBounds<K>) -> (Bound<Vec<u8>>, Bound<Vec<u8>>) {
    (keys.start_bound().map(K::encode), keys.end_bound().map(K::encode))
}

/// One record in stable memory, in versioned CBOR.
pub struct Single<V, M: Memory> {
    cell: StableCell<Encoded, M>,
    record: PhantomData<V>,
}

impl<V: Serialize + DeserializeOwned, M: Memory> Single<V, M> {
    /// Opens the record; in unused memory it starts as `initial`.
    pub fn open(memory: M, initial: &V) -> Result<Self, Error> {
        Ok(Self { cell: StableCell::init(memory, Encoded::of(initial)?), record: PhantomData })
    }

    /// The record.
    pub fn get(&self) -> Result<V, Error> {
        self.cell.get().decode()
    }

    /// Replaces the record.
    pub fn put(&mut self, record: &V) -> Result<(), Error> {
        self.cell.set(Encoded::of(record)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ic_stable_structures::VectorMemory;

    use super::*;

    #[test]
    fn records_survive_reopening() {
        let memory = VectorMemory::default();
        let mut table = Table::<u64, String, _>::open(memory.clone());
        table.put(5, &"five".to_owned()).unwrap();
        table.put(6, &"six".to_owned()).unwrap();
        table.remove(&6);
        drop(table);
        let table = Table::<u64, String, _>::open(memory);
        assert_eq!(table.get(&5), Ok(Some("five".to_owned())));
        assert_eq!(table.get(&6), Ok(None));
        assert_eq!((table.len(), table.contains(&5)), (1, true));
    }

    #[test]
    fn unreadable_record_is_an_error() {
        let memory = VectorMemory::default();
        let mut raw = StableBTreeMap::<Vec<u8>, Vec<u8>, _>::init(memory.clone());
        let broken: [&[u8]; 4] = [&[], &[0], &[VERSION + 1, 0], &[VERSION, 0x61]];
        for (key, bytes) in broken.into_iter().enumerate() {
            raw.insert((key as u64).encode(), bytes.to_vec());
        }
        drop(raw);
        let table = Table::<u64, String, _>::open(memory);
        for key in 0..4 {
            assert!(matches!(table.get(&key), Err(Error::Internal { .. })), "{key}");
        }
        assert!(table.range(..).all(|entry| entry.is_err()));
        assert!(Table::<u32, String, _>::open(table.map.into_memory()).keys(..).all(|key| key.is_err()));
    }
}
