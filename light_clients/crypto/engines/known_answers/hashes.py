"""Hashes of the bytes 0, 1, …, 250, 0, 1, … at lengths around the blocks of each function, by two libraries each."""

from collections.abc import Mapping
from typing import Final

from hutong.light_clients.crypto.engines.engine import KnownAnswer

_NAMES: Final = ("sha256", "keccak256", "ripemd160", "sm3")
_DIGESTS: Final = (
    (
        0,
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
        "9c1185a5c5e9fc54612808977ee8f548b2258d31",
        "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b",
    ),
    (
        1,
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "bc36789e7a1e281436464229828f817d6612f7b477d66591ff96a9e064bcc98a",
        "c81b94933420221a7ac004a90242d8b1d3e5070d",
        "2daef60e7a0b8f5e024c81cd2ab3109f2b4f155cf83adeb2ae5532f74a157fdf",
    ),
    (
        31,
        "4f23c2ca8c5c962e50cd31e221bfb6d0adca19111dca8e0c62598ff146dd19c4",
        "3e50547cf72e8583ee91462f9d99fe624f53282f78e1a5ec2347b1d0123d0d9b",
        "2af4160dadbb84707f7355177a4644e4cf577dfa",
        "182c11ff061a611473bb2357fb422edec582c80837cb0a838b43761e81e528cf",
    ),
    (
        55,
        "463eb28e72f82e0a96c0a4cc53690c571281131f672aa229e0d45ae59b598b59",
        "797f92d5e159d80a886c0a7802a255b475a1e8e473e8cf4345144824a2aee79c",
        "3c86963b3ff646a65ae42996e9664c747cc7e5e6",
        "a79cf9dcee3404abf7f769698201647fd9d3ff61d629d0f58bb4b5579a427db8",
    ),
    (
        56,
        "da2ae4d6b36748f2a318f23e7ab1dfdf45acdc9d049bd80e59de82a60895f562",
        "0d0bf4902a749dee22eae5f1b6e2b867ba696ce9be7632eba14315ac09bd1856",
        "ebdd79cfd4fd9949ef8089673d2620427f487cfb",
        "62f7363b15f4de76dd925c493b9d6d00d4ba0ef2a1f334c1d0f13b293aeb40d1",
    ),
    (
        63,
        "29af2686fd53374a36b0846694cc342177e428d1647515f078784d69cdb9e488",
        "eed42da65350e8490c201e15dd3bdb8aeaab8618692db71db386a19b6578c59d",
        "6d31d3d634b4a7aa15914c239576eb1956f2d9a4",
        "6165e4cbb15cde01c6226e0015a47f710f8f8e1f2c296700033bb34d9212109c",
    ),
    (
        64,
        "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108",
        "002030bde3d4cf89919649775cd71875c4d0ab1708a380e03fefc3a28aa24831",
        "2581f5e9f957b44b0fa24d31996de47409dd1e0f",
        "93566f236d157aae078d1ddb5cebdbba1520b5142e22a8915564345ba2ae1d63",
    ),
    (
        65,
        "4bfd2c8b6f1eec7a2afeb48b934ee4b2694182027e6d0fc075074f2fabb31781",
        "64578d7b8ae53c452c57b27375f3827854a7ead6448dc566d77a6673701f50d3",
        "109949b95341eeea7365e8ac4d0d3883d98f709a",
        "c886e6814be748285a10b28ae62ddacd85db830cd2cf3a2bfa2f729c15f63618",
    ),
    (
        127,
        "92ca0fa6651ee2f97b884b7246a562fa71250fedefe5ebf270d31c546bfea976",
        "c52f0bd08793b9e8601b29753539e1bf47f8e483eed0a901e8761982449c9b4c",
        "2be8e565e24a87171f0700ecafa3c2942c97023e",
        "bca3436d828517a6a6893a9e309e06e7b7b29c6e3f78b4814b23efe149962980",
    ),
    (
        128,
        "471fb943aa23c511f6f72f8d1652d9c880cfa392ad80503120547703e56a2be5",
        "ed4c9adc183fb8cb025b1500ec3eeae1b45517314441a187605de1bb8a64726e",
        "7c4d36070c1e1176b2960a1b0dd2319d547cf8eb",
        "a9e7985473ca09df1510d83b572f72375430756c4a661b00724afeb8b75dd0a5",
    ),
    (
        135,
        "6a053848cfe83c0fc8c8a81dd84f6b946c63193cd25cdd5dad45f08be8019e89",
        "cbdfd9dee5faad3818d6b06f95a219fd290b0e1706f6a82e5a595b9ce9faca62",
        "ab1fcd5b0f8bdfd7d7f57a71bf33f341349b7d74",
        "d64127fad08886172946f99b97a3bd0112ca9393b9efe19428c61c2fe79329b5",
    ),
    (
        136,
        "ffc555203945df4e81d75f316e4c25fdc0bc4e96412f4f469349eb716f001a7d",
        "7ce759f1ab7f9ce437719970c26b0a66ff11fe3e38e17df89cf5d29c7d7f807e",
        "5970a6c0b0e1f4cc14dd22f49f9e8c52e0fa6817",
        "8a5a01e9d75ff483f37971154f992a775bc064af17af9fdae10a7009e6dda917",
    ),
    (
        137,
        "81d45be06329d63a2d8a8599d445676933bea1678fc586795b4ecbb838d4d158",
        "ac73d4fae68b8453f764007c1a20ce95994187861f0c3227a3a8e99a73a3b1db",
        "8d935bcb852111d2abb5e9dcdd51124a07575688",
        "60a167f1356e02bab76979875fd4d0c839a0638b6b0cb971ba988762b2384795",
    ),
    (
        272,
        "203e449c69e4a01f652cd48b92e41363218897e4e0ee16223ab423c71a6edf36",
        "8e2476e65823b24d96ebe239f2c1534cdf763e689e2410c3b1cb0c74e6177bfc",
        "912daafd6eafbbe4b6829e5e05cbe3cfc4588852",
        "a46ce3900b33bc6343005a64be58e6e41143cba0c8fe155d92a795bdb96800e0",
    ),
    (
        1000,
        "4e4c294b331f7a2099a379bec34b9f9fc03dc46ab465d998f4d683da53487e6d",
        "af692982e84a5a9688359025660a7857cd28ee7c8d867cfa1677baf2e6d1f63b",
        "6864b0b9f86a879be2680824c81dbce9c5350281",
        "b38fc481302b502c3f2f6608d060c47c5b6bd8fd65e148b7cd3af4988245f48a",
    ),
    (
        4096,
        "d67c656e01756650d77717b0839985a056ec28ffe174601d690fc407a2ceffca",
        "154a932bb08a718880807903c8724a2e293271f249bd8d7017eb0e9b456a218d",
        "52b66d343fe3b8f0ac43bd2d00fc735a632a711a",
        "b8c0a28aad58335ce7f026fa6a8dfef3fd0e4f243200df9e4f70b4cf7807bd38",
    ),
    (
        70000,
        "9dc177c2fde29dea8e7c29f7ddf147b7c449c99d049c62f3aac0a5933ecf76a3",
        "40ebfe6cad9760619d1d39cfb80604599989cee246f60e5dd5384162c9eaae66",
        "2398f3fe412d38d703e7bc0db903a7139349e9e2",
        "256920691f59b384ca4b0533c1fa6cc18054664f059c0339587dc4ae3f6f2635",
    ),
)
"""Length, then the digests by `_NAMES`."""

HASHES: Final[Mapping[str, tuple[KnownAnswer, ...]]] = {
    name: tuple(
        KnownAnswer(f"{size} bytes", (bytes(at % 251 for at in range(size)),), bytes.fromhex(digests[column]))
        for size, *digests in _DIGESTS
    )
    for column, name in enumerate(_NAMES)
}
"""By algorithm, of (data,): the digest."""
